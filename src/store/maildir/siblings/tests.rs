use std::fs::File;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

struct Mail(tempfile::TempDir);

impl Mail {
    /// A folder with these Maildirs in it.
    fn with(maildirs: &[&str]) -> Self {
        let mail = Self(tempfile::tempdir().unwrap());
        for maildir in maildirs {
            for part in ["tmp", "new", "cur"] {
                fs::create_dir_all(mail.0.path().join(maildir).join(part)).unwrap();
            }
        }
        mail
    }

    fn roots(&self, path: &str, reach: Reach) -> Vec<String> {
        let place = |root: &PathBuf| match root.strip_prefix(self.0.path()) {
            Ok(below) => below.to_str().unwrap().to_owned(),
            Err(_) => root.display().to_string(),
        };
        let mut roots: Vec<_> = roots(&self.0.path().join(path), reach)
            .iter()
            .map(place)
            .collect();
        roots[1..].sort();
        roots
    }
}

#[test]
fn folders_beside_a_maildir_are_its_siblings_where_they_are_maildirs() {
    let mail = Mail::with(&[
        ".work",
        ".work.Archive",
        ".work.a.b",
        ".home",
        "plain",
        ".workx",
    ]);
    for other in [".cache/deep", ".empty", ".git/objects"] {
        fs::create_dir_all(mail.0.path().join(other)).unwrap();
    }
    File::create(mail.0.path().join(".work.lock")).unwrap();
    symlink("/nowhere/at/all", mail.0.path().join(".other.link")).unwrap();
    assert_eq!(
        mail.roots(".work", Reach::All),
        [".work", ".home", ".work.Archive", ".work.a.b", ".workx"]
    );
    assert_eq!(
        mail.roots(".work", Reach::Own),
        [".work", ".work.Archive", ".work.a.b"]
    );
    // Not a folder of Maildir++.
    assert_eq!(mail.roots("plain", Reach::All), ["plain"]);
    // A folder that bears the name and leads nowhere cannot be searched.
    symlink("/nowhere/at/all", mail.0.path().join(".work.Unmounted")).unwrap();
    assert_eq!(
        mail.roots(".work", Reach::Own)[1..],
        [".work.Archive", ".work.Unmounted", ".work.a.b"]
    );
}

#[test]
fn beside_a_maildir_in_everybodys_folder_only_those_of_its_name_are_its_own() {
    let mail = Mail::with(&["", ".work", ".work.Archive", ".home"]);
    let everybodys = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(mail.0.path(), everybodys).unwrap();
    assert_eq!(mail.roots(".work", Reach::All), [".work", ".work.Archive"]);
}

#[test]
fn a_root_that_is_a_maildir_is_looked_at_with_all_its_folders() {
    let mail = Mail::with(&["", ".work", ".work.Archive", ".home"]);
    assert_eq!(mail.roots(".work", Reach::All), [".work", ""]);
    assert_eq!(mail.roots(".work", Reach::Own), [".work", ".work.Archive"]);
}

#[test]
fn a_link_has_the_siblings_of_both_its_ends() {
    let mail = Mail::with(&["a/.work", "a/.work.Archive", "b/.alias.Old"]);
    symlink(
        mail.0.path().join("a/.work"),
        mail.0.path().join("b/.alias"),
    )
    .unwrap();
    assert_eq!(
        mail.roots("b/.alias", Reach::All),
        ["b/.alias", "a/.work.Archive", "b/.alias.Old"]
    );
}
