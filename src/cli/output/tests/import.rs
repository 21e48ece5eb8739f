use super::*;
use crate::cache::Taken;

/// A message whose copy is proved to be in the store leaves the server by the settings.
#[test]
fn an_import_says_which_messages_stay_on_the_server() {
    for (new, known, stay, expected) in [
        (0, 3, 0, "work: 0 messages taken over; 3 known before\n"),
        (2, 0, 0, "work: 2 messages taken over\n"),
        (
            30,
            0,
            30,
            "work: 30 messages taken over\n\
             work: these 30 stay on the server whatever the settings say\n",
        ),
        (
            30,
            1,
            12,
            "work: 30 messages taken over; 1 known before\n\
             work: 12 of these stay on the server whatever the settings say\n",
        ),
    ] {
        let (output, out, err) = output(TEXT, true);
        output.imported("work", "store", Taken { new, known, stay }, false);
        assert_eq!(output.finish(), Exit::Success);
        assert_eq!(format!("{}{}", out.text(), err.text()), expected);
    }
}

#[test]
fn an_import_says_until_when_messages_stay_whose_copies_are_looked_for() {
    let (output, out, err) = output(TEXT, true);
    let taken = Taken {
        new: 30,
        known: 0,
        stay: 30,
    };
    output.imported("work", "mpop", taken, true);
    assert_eq!(output.finish(), Exit::Success);
    assert_eq!(
        format!("{}{}", out.text(), err.text()),
        "work: 30 messages taken over\n\
         work: these 30 stay on the server until their copies are found in the store\n"
    );
}
