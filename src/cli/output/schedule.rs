//! The output of `popsync schedule`: files and lines to read or to use, and the installed ones.

use serde::Serialize;

use crate::cli::schedule::{Installed, Interval, Text};

use super::{Output, sanitize};

#[derive(Serialize)]
struct ScheduleLine<'a> {
    event: &'static str,
    account: Option<&'a str>,
    every: u64,
    installed: bool,
    started: bool,
    files: Vec<File>,
    crontab: Option<&'a str>,
}

#[derive(Serialize)]
struct File {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl Output {
    /// Prints a schedule that was not installed.
    pub(in crate::cli) fn schedule(&self, every: Interval, text: &Text) {
        let mut line = line(every, false);
        match text {
            Text::Units(units, folder) => {
                let files = [("service", &units.service), ("timer", &units.timer)];
                for (place, (kind, text)) in files.into_iter().enumerate() {
                    let path = folder.join(format!("{}.{kind}", units.name));
                    let path = sanitize::text(&path.display().to_string()).into_owned();
                    if !self.options.json {
                        let gap = if place == 0 { "" } else { "\n" };
                        self.data(format!("{gap}# {path}\n{}", text.trim_end()));
                    }
                    line.files.push(File {
                        path,
                        text: Some(text.clone()),
                    });
                }
                self.done("`popsync schedule --install` writes these files and starts the timer");
            }
            Text::Line(crontab) => {
                if !self.options.json {
                    self.data(crontab.clone());
                }
                line.crontab = Some(crontab);
                self.done("`popsync schedule --install` adds this line to your crontab");
            }
        }
        if self.options.json {
            self.line_of(&line);
        }
    }

    /// Reports an installed schedule, and how to remove it.
    pub(in crate::cli) fn installed(&self, every: Interval, installed: &Installed) {
        let mut line = line(every, true);
        let told = match installed {
            Installed::Units {
                name,
                service,
                timer,
                started,
            } => {
                let files = [service, timer].map(|path| path.display().to_string());
                line.started = *started;
                line.files = files
                    .iter()
                    .map(|path| File {
                        path: path.clone(),
                        text: None,
                    })
                    .collect();
                let next = if *started {
                    format!("started {name}.timer: popsync runs every {every}")
                } else {
                    format!("to start it: systemctl --user enable --now '{name}.timer'")
                };
                vec![
                    format!("written: {}", files[0]),
                    format!("written: {}", files[1]),
                    next,
                    "timers run while you are logged in; `loginctl enable-linger` lets them run \
                     without that"
                        .to_owned(),
                    format!(
                        "to take it away: systemctl --user disable --now '{name}.timer'; then \
                         remove both files"
                    ),
                ]
            }
            Installed::Line(mark, crontab) => {
                line.started = true;
                line.crontab = Some(crontab);
                vec![
                    format!("added to your crontab: {crontab}"),
                    format!(
                        "to take it away: `crontab -e`, and remove `{mark}` and the line below"
                    ),
                ]
            }
        };
        if self.options.json {
            self.line_of(&line);
            return;
        }
        for line in told {
            self.data(sanitize::text(&line).into_owned());
        }
    }
}

fn line<'a>(every: Interval, installed: bool) -> ScheduleLine<'a> {
    ScheduleLine {
        event: "schedule",
        account: None,
        every: every.seconds(),
        installed,
        started: false,
        files: Vec::new(),
        crontab: None,
    }
}
