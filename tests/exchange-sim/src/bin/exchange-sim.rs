//! Runs a simulated Exchange by hand: prints ports, user, password and the CA's file, and serves
//! until it is killed or its time is over.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use exchange_sim::{
    At, Certificate, CloseHow, Cut, CutAt, Drip, Knobs, LoginType, Profile, Server, Sizes, Sort,
    sample,
};

const HELP: &str = "\
Usage: exchange-sim [OPTIONS]

  --profile NAME     ex2003, ex2003-migrated, ex2007, ex2010, ex2013, ex15tp,
                     ex2016 (default), exo
  --user NAME        anna@example.com
  --password TEXT    secret
  --token TEXT       the token that XOAUTH2 takes; token
  --messages N       sample messages in the mailbox; 10
  --nasty            the messages that clients trip over instead
  --maildir DIR      the files below DIR instead, in the order of their names
  --ca FILE          where the CA's certificate is written; a temporary file
  --seconds N        ends after so long
  --knob NAME=VALUE  turns a knob; again for more of them
  --knobs            lists the knobs that can be turned so
  --help
";

type Turn = fn(&mut Knobs, &str) -> Option<()>;

/// The knobs that have a simple value.
const KNOBS: &[(&str, Turn)] = &[
    ("bare_lf", |k, v| {
        k.bare_lf.status = v.contains("status");
        k.bare_lf.listing = v.contains("listing");
        k.bare_lf.body = v.contains("body");
        Some(())
    }),
    ("certificate", |k, v| {
        k.certificate = match v {
            "good" => Certificate::Good,
            "expired" => Certificate::Expired,
            "not-yet-valid" => Certificate::NotYetValid,
            "wrong-name" => Certificate::WrongName,
            "wildcard" => Certificate::WildcardTooWide,
            "self-signed" => Certificate::SelfSigned,
            "other-ca" => Certificate::OtherCa,
            _ => return None,
        };
        Some(())
    }),
    ("chunk", |k, v| some(&mut k.chunk, v)),
    ("chunk_pause_ms", |k, v| millis(&mut k.chunk_pause, v)),
    ("close_at", |k, v| {
        k.close_at = Some((At::Nth(v.parse().ok()?), CloseHow::Fin));
        Some(())
    }),
    ("cr_split", |k, v| set(&mut k.cr_split, v)),
    ("cut", |k, v| {
        k.cut = Some(Cut::fin(CutAt::Octet(v.parse().ok()?)));
        Some(())
    }),
    ("dele_ignored", |k, v| set(&mut k.dele_ignored, v)),
    ("drip_ms", |k, v| {
        let every = Duration::from_millis(v.parse().ok()?);
        k.drip = Some(Drip { octets: 1, every });
        Some(())
    }),
    ("drop_empties", |k, v| set(&mut k.drop_empties, v)),
    ("eight_bit_text", |k, v| set(&mut k.eight_bit_text, v)),
    ("empty_body", |k, v| set(&mut k.empty_body, v)),
    ("endless_body", |k, v| set(&mut k.endless_body, v)),
    ("endless_list", |k, v| set(&mut k.endless_list, v)),
    ("extra", |k, v| some(&mut k.extra, v)),
    ("expire", |k, v| some(&mut k.expire, v)),
    ("gss_skip_layer", |k, v| set(&mut k.gss_skip_layer, v)),
    ("list_counts", |k, v| set(&mut k.list_counts, v)),
    ("login_delay", |k, v| some(&mut k.login_delay, v)),
    ("login_type", |k, v| {
        k.login_type = Some(match v {
            "plain" => LoginType::PlainText,
            "plain-authentication" => LoginType::PlainTextAuthentication,
            "secure" => LoginType::Secure,
            _ => return None,
        });
        Some(())
    }),
    ("max_command", |k, v| some(&mut k.max_command, v)),
    ("max_connections_per_user", |k, v| {
        set(&mut k.max_connections_per_user, v)
    }),
    ("no_close_notify", |k, v| set(&mut k.no_close_notify, v)),
    ("no_final_crlf", |k, v| set(&mut k.no_final_crlf, v)),
    ("no_stuffing", |k, v| set(&mut k.no_stuffing, v)),
    ("ntlm_v1", |k, v| set(&mut k.ntlm_v1, v)),
    ("only_newest", |k, v| some(&mut k.only_newest, v)),
    ("only_oldest", |k, v| some(&mut k.only_oldest, v)),
    ("pipelining", |k, v| set(&mut k.pipelining, v)),
    ("pipelining_unsupported", |k, v| {
        set(&mut k.pipelining_unsupported, v)
    }),
    ("pre_auth_timeout", |k, v| {
        seconds(&mut k.pre_auth_timeout, v)
    }),
    ("auth_timeout", |k, v| seconds(&mut k.auth_timeout, v)),
    ("pretend_empty", |k, v| set(&mut k.pretend_empty, v)),
    ("quit_err", |k, v| set(&mut k.quit_err, v)),
    ("resp_codes", |k, v| set(&mut k.resp_codes, v)),
    ("silent_at", |k, v| {
        k.silent_at = Some(At::Nth(v.parse().ok()?));
        Some(())
    }),
    ("size_lie", |k, v| some(&mut k.size_lie, v)),
    ("sizes", |k, v| {
        k.sizes = Some(match v {
            "exact" => Sizes::Exact,
            "storage" => Sizes::Storage,
            "storage-first-retr" => Sizes::StorageFirstRetr,
            _ => return None,
        });
        Some(())
    }),
    ("sort", |k, v| {
        k.sort = match v {
            "ascending" => Sort::Ascending,
            "descending" => Sort::Descending,
            _ => return None,
        };
        Some(())
    }),
    ("stall", |k, v| some(&mut k.stall, v)),
    ("tls_version_alert", |k, v| set(&mut k.tls_version_alert, v)),
    ("uid_change", |k, v| set(&mut k.uid_change, v)),
    ("uid_dup", |k, v| set(&mut k.uid_dup, v)),
    ("uid_long", |k, v| some(&mut k.uid_long, v)),
    ("utf8", |k, v| set(&mut k.utf8, v)),
    ("xoauth2_inline", |k, v| set(&mut k.xoauth2_inline, v)),
];

fn set<T: std::str::FromStr>(knob: &mut T, value: &str) -> Option<()> {
    *knob = value.parse().ok()?;
    Some(())
}

fn some<T: std::str::FromStr>(knob: &mut Option<T>, value: &str) -> Option<()> {
    *knob = Some(value.parse().ok()?);
    Some(())
}

fn seconds(knob: &mut Duration, value: &str) -> Option<()> {
    *knob = Duration::from_secs(value.parse().ok()?);
    Some(())
}

fn millis(knob: &mut Duration, value: &str) -> Option<()> {
    *knob = Duration::from_millis(value.parse().ok()?);
    Some(())
}

/// The options on the command line.
struct Options {
    profile: Profile,
    user: String,
    password: String,
    token: String,
    messages: Vec<Vec<u8>>,
    ca: PathBuf,
    seconds: Option<u64>,
    knobs: Knobs,
}

fn main() -> ExitCode {
    let mut out = io::stdout();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--help") {
        let _ = out.write_all(HELP.as_bytes());
        return ExitCode::SUCCESS;
    }
    if arguments.iter().any(|argument| argument == "--knobs") {
        for (name, _) in KNOBS {
            let _ = writeln!(out, "{name}");
        }
        return ExitCode::SUCCESS;
    }
    match options(arguments).and_then(|options| run(options, &mut out).map_err(display)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "exchange-sim: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn display(problem: impl Display) -> String {
    problem.to_string()
}

fn options(arguments: Vec<String>) -> Result<Options, String> {
    let mut options = Options {
        profile: Profile::Ex2016,
        user: "anna@example.com".to_owned(),
        password: "secret".to_owned(),
        token: "token".to_owned(),
        messages: sample::messages(10, 1),
        ca: std::env::temp_dir().join(format!("exchange-sim-{}.pem", std::process::id())),
        seconds: None,
        knobs: Knobs::default(),
    };
    let mut arguments = arguments.into_iter();
    while let Some(name) = arguments.next() {
        if name == "--nasty" {
            options.messages = sample::nasty().into_iter().map(|one| one.octets).collect();
            continue;
        }
        let value = arguments
            .next()
            .ok_or_else(|| format!("{name} wants a value; see --help"))?;
        match name.as_str() {
            "--profile" => {
                options.profile =
                    Profile::from_name(&value).ok_or_else(|| format!("no profile {value}"))?;
            }
            "--user" => options.user = value,
            "--password" => options.password = value,
            "--token" => options.token = value,
            "--messages" => options.messages = sample::messages(value.parse().map_err(display)?, 1),
            "--maildir" => options.messages = files(value.into()).map_err(display)?,
            "--ca" => options.ca = value.into(),
            "--seconds" => options.seconds = Some(value.parse().map_err(display)?),
            "--knob" => {
                let (knob, to) = value.split_once('=').unwrap_or((&value, "true"));
                let (_, turn) = KNOBS
                    .iter()
                    .find(|(known, _)| *known == knob)
                    .ok_or_else(|| format!("no knob {knob}; see --knobs"))?;
                turn(&mut options.knobs, to).ok_or_else(|| format!("{knob} cannot be {to}"))?;
            }
            _ => return Err(format!("no option {name}; see --help")),
        }
    }
    Ok(options)
}

/// The files below a folder, in the order of their names.
fn files(folder: PathBuf) -> io::Result<Vec<Vec<u8>>> {
    let mut found = Vec::new();
    let mut folders = vec![folder];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((
                    path.file_name().map(ToOwned::to_owned),
                    std::fs::read(&path)?,
                ));
            }
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, octets)| octets).collect())
}

fn run(options: Options, out: &mut impl io::Write) -> io::Result<()> {
    let server = Server::builder(options.profile)
        .user(&options.user, &options.password)
        .token(&options.user, &options.token)
        .messages(&options.user, options.messages)
        .plain_port(true)
        .tls_port(options.profile != Profile::Ex2003)
        .knobs(options.knobs)
        .start()?;
    server.write_ca(&options.ca)?;
    writeln!(out, "profile  {}", options.profile.name())?;
    writeln!(out, "pop3     {}", server.pop3_port())?;
    if options.profile != Profile::Ex2003 {
        writeln!(out, "pop3s    {}", server.pop3s_port())?;
    }
    writeln!(out, "user     {}", options.user)?;
    writeln!(out, "password {}", options.password)?;
    writeln!(out, "token    {}", options.token)?;
    writeln!(out, "ca       {}", options.ca.display())?;
    out.flush()?;
    match options.seconds {
        Some(seconds) => std::thread::sleep(Duration::from_secs(seconds)),
        None => loop {
            std::thread::park();
        },
    }
    Ok(())
}
