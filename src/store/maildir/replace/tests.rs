use super::*;

struct Mail(tempfile::TempDir);

impl Mail {
    fn with(files: &[&str]) -> Self {
        let mail = Self(tempfile::Builder::new().prefix("mail").tempdir().unwrap());
        for folder in ["tmp", "new", "cur"] {
            fs::create_dir(mail.0.path().join(folder)).unwrap();
        }
        for file in files {
            let path = mail.0.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap();
        }
        mail
    }

    fn replace(&self, pairs: &[(&str, &str)]) -> Replaced {
        let name = |text: &str| Name(format!("{text}.popsync"));
        let whole = |text: &str| (!text.is_empty()).then(|| name(text));
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(stub, message)| (name(stub), whole(message)))
            .collect();
        replace(self.0.path(), &pairs).unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        let mut folders = vec![self.0.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let path = path.strip_prefix(self.0.path()).unwrap();
                    found.push(path.to_str().unwrap().to_owned());
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn the_message_is_where_its_stub_was_and_flagged_as_that() {
    for (stub, whole) in [
        ("new/1.popsync", "new/2.popsync"),
        ("cur/1.popsync:2,", "cur/2.popsync:2,"),
        ("cur/1.popsync:2,FS", "cur/2.popsync:2,FS"),
        ("cur/1.popsync", "cur/2.popsync:2,"),
        ("cur/1.popsync!2,RS", "cur/2.popsync!2,RS"),
        ("cur/1.popsync,S=99,W=102:2,Sab", "cur/2.popsync:2,Sab"),
        ("cur/1.popsync,S=2,W=102:2,SZ", "cur/2.popsync:2,S"),
        ("cur/1.popsync:2,ST", "cur/2.popsync:2,S"),
        ("cur/1.popsync:2,S,x=1", "cur/2.popsync:2,S"),
        (".Archive/cur/1.popsync:2,S", ".Archive/cur/2.popsync:2,S"),
        (".Archive/new/1.popsync", ".Archive/new/2.popsync"),
        ("Lists/rust/cur/1.popsync:2,", "Lists/rust/cur/2.popsync:2,"),
    ] {
        let mail = Mail::with(&[stub, "new/2.popsync", "new/3.popsync"]);
        // A second call finds nothing to do.
        assert_eq!(mail.replace(&[("1", "2")]), Replaced::default());
        let mut expected = [whole, "new/3.popsync"];
        expected.sort_unstable();
        assert_eq!(mail.files(), expected, "{stub}");
        let again = mail.replace(&[("1", "2")]);
        assert_eq!((again.left.len(), again.gone.len()), (0, 1));
        assert_eq!(mail.files(), expected, "{stub}");
    }
}

/// A crash between the two halves.
#[test]
fn a_message_that_is_in_its_place_already_only_loses_its_stub() {
    let stub = ".Archive/cur/1.popsync:2,S";
    let mail = Mail::with(&[stub, "new/2.popsync"]);
    move_to(
        mail.0.path(),
        &Name("2.popsync".to_owned()),
        &mail.0.path().join(stub),
    )
    .unwrap();
    assert_eq!(mail.files(), [stub, ".Archive/cur/2.popsync:2,S"]);
    assert_eq!(mail.replace(&[("1", "2")]), Replaced::default());
    assert_eq!(mail.files(), [".Archive/cur/2.popsync:2,S"]);
}

#[test]
fn a_message_that_a_person_has_moved_or_deleted_stays_so() {
    for whole in ["cur/2.popsync:2,S", ".Other/cur/2.popsync:2,F"] {
        let mail = Mail::with(&["cur/1.popsync:2,R", whole]);
        mail.replace(&[("1", "2")]);
        assert_eq!(mail.files(), [whole]);
    }
    let mail = Mail::with(&["cur/1.popsync:2,R"]);
    mail.replace(&[("1", "2")]);
    assert_eq!(mail.files(), [""; 0]);
}

#[test]
fn stubs_that_are_gone_are_no_error_and_others_stay() {
    let mail = Mail::with(&["new/1.popsync", "cur/4.popsync:2,S", "new/6.popsync"]);
    let replaced = mail.replace(&[("1", ""), ("5", "6")]);
    let gone = HashSet::from([Name("5.popsync".to_owned())]);
    let left = HashSet::new();
    assert_eq!(replaced, Replaced { left, gone });
    assert_eq!(mail.files(), ["cur/4.popsync:2,S", "new/6.popsync"]);
    // If not everything can be read, nobody knows.
    let link = mail.0.path().join(".Unmounted");
    std::os::unix::fs::symlink("/nowhere/at/all", link).unwrap();
    let replaced = mail.replace(&[("5", "6")]);
    assert_eq!((replaced.left.len(), replaced.gone.len()), (1, 0));
    let pairs = [(Name("5.popsync".to_owned()), None)];
    assert!(replace(&mail.0.path().join("nowhere"), &pairs).is_err());
}
