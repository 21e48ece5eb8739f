//! QUIT and the UPDATE state (RFC 1939 §6), and the effects of a drop without QUIT.

use std::mem;

use super::output::Piece;
use super::{Phase, Session};
use crate::knobs::{CloseHow, UpdateFail};
use crate::mailbox::Mailbox;
use crate::text::Text;

impl Session {
    pub(super) fn quit(&mut self) {
        self.quit = true;
        // Taken out first, so that the marks are not dropped as after a drop.
        let phase = mem::replace(&mut self.phase, Phase::Over);
        let Phase::Transaction(maildrop) = phase else {
            self.ok(Text::Quit);
            return self.close(CloseHow::Fin);
        };
        let mut marked = maildrop.marked();
        if self.knobs.dele_ignored {
            marked.clear();
        }
        let all = marked.len();
        match self.knobs.update_fail {
            UpdateFail::None => {}
            UpdateFail::All => marked.clear(),
            UpdateFail::FirstRemoved(k) | UpdateFail::CloseAfter(k) => marked.truncate(k),
            UpdateFail::EveryOther => {
                let mut keep = false;
                marked.retain(|_| {
                    keep = !keep;
                    keep
                });
            }
        }
        let failed = marked.len() < all;
        let mailbox = &maildrop.opened.mailbox;
        match self.knobs.update_delay {
            Some(delay) => mailbox.update_later(self.site.clock.now() + delay, marked),
            None => {
                // XPOP3:V0006: never anything that was not marked.
                if let Err(problem) = mailbox.update(&marked) {
                    self.violation(format!("the simulator is wrong: {problem}"));
                }
            }
        }
        mailbox.note_quit();
        if matches!(self.knobs.update_fail, UpdateFail::CloseAfter(_)) {
            self.out.push_back(Piece::Close(CloseHow::Fin));
            return;
        }
        if self.knobs.quit_err || (failed && !self.knobs.update_fail_ok) {
            self.err(Text::NotRemoved);
        } else {
            self.ok(Text::Quit);
        }
        self.close(CloseHow::Fin);
    }

    /// The session ends without QUIT: nothing is removed, save by servers that are broken.
    pub(super) fn drop_marks(&mut self) {
        let Phase::Transaction(maildrop) = &self.phase else {
            return;
        };
        let mailbox: Mailbox = maildrop.opened.mailbox.clone();
        let marked = maildrop.marked();
        if let Some(time) = self.knobs.hidden_after_drop
            && !marked.is_empty()
        {
            mailbox.hide(self.site.clock.now() + time, marked);
        }
        if self.knobs.drop_empties {
            mailbox.clear();
        }
        self.phase = Phase::Over;
    }
}
