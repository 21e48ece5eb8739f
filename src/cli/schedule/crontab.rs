//! A line of crontab(5), and a crontab with or without it.

use super::Plan;
use crate::words;

/// The comment above a line, which identifies it.
const MARK: &str = "# popsync schedule";

/// The line. `seed` spreads machines over the time.
pub(super) fn line(plan: &Plan, seed: u64) -> String {
    let words: Vec<_> = plan.words().iter().map(|word| quoted(word)).collect();
    format!("{} {}", plan.every.fields(seed), words.join(" "))
}

/// The crontab with the line. It replaces a line for the same accounts, and all else stays.
pub(super) fn with(crontab: &str, plan: &Plan, line: &str) -> String {
    let mark = mark(plan);
    let mut new = String::new();
    let mut lines = crontab.lines().peekable();
    while let Some(old) = lines.next() {
        if old == mark {
            // The line may have been removed, and the comment left.
            lines.next_if(|below| below.contains(" sync"));
        } else {
            new.push_str(old);
            new.push('\n');
        }
    }
    format!("{new}{mark}\n{line}\n")
}

/// The comment above the line.
pub(super) fn mark(plan: &Plan) -> String {
    let mut mark = MARK.to_owned();
    for account in &plan.accounts {
        mark.push(' ');
        mark.push_str(&quoted(account));
    }
    mark
}

/// Quotes a word for the shell, and for cron, which ends a command at `%`, also in quotes.
fn quoted(word: &str) -> String {
    words::quoted(word).replace('%', r"\%")
}

#[cfg(test)]
mod tests {
    use super::super::Reach;
    use super::*;

    fn plan(accounts: &[&str]) -> Plan {
        Plan {
            program: "/opt/100% it's/popsync".to_owned(),
            config: Some("/home/anna/my mail.toml".to_owned()),
            state_dir: None,
            accounts: accounts.iter().map(|name| (*name).to_owned()).collect(),
            every: "15m".parse().unwrap(),
            reach: Reach::Itself,
        }
    }

    #[test]
    fn a_line_is_quoted_for_the_shell_and_for_cron() {
        assert_eq!(
            line(&plan(&["work", "at home"]), 7),
            r"7-59/15 * * * * '/opt/100\% it'\''s/popsync' --config '/home/anna/my mail.toml' sync -- work 'at home'"
        );
    }

    #[test]
    fn a_line_of_the_same_accounts_is_replaced_and_all_else_stays() {
        let old = "MAILTO=anna\n# popsync schedule work\n1 * * * * popsync sync\n5 * * * * other";
        let line = "7 * * * * popsync sync -- work";
        let new = with(old, &plan(&["work"]), line);
        assert_eq!(
            new,
            format!("MAILTO=anna\n5 * * * * other\n# popsync schedule work\n{line}\n")
        );
        assert_eq!(with(&new, &plan(&["work"]), line), new);
        let all = with(&new, &plan(&[]), "ALL");
        assert_eq!(all, format!("{new}# popsync schedule\nALL\n"));
        assert_eq!(with("", &plan(&[]), "ALL"), "# popsync schedule\nALL\n");
        let left = with("# popsync schedule\n5 * * * * other\n", &plan(&[]), "ALL");
        assert_eq!(left, "5 * * * * other\n# popsync schedule\nALL\n");
    }
}
