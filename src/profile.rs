//! The differences between the versions of Outlook that popsync can imitate.
//!
//! Source: \[MS-STANOPOP3\] v10.0. Its statements apply to all versions alike, except the retention
//! default (`OPOP3:C0048`) and five that do not name Outlook for Windows (new) (`OPOP3:C0010`,
//! `C0038` to `C0041`). None of these five restricts a client further, so that profile follows them
//! too. Differences are data here, never an `if` in the codec.

use std::fmt;
use std::str::FromStr;

/// A version of Outlook, or the strict generic client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Profile {
    /// Microsoft Office Outlook 2007.
    Outlook2007,
    /// Microsoft Outlook 2010.
    Outlook2010,
    /// Microsoft Outlook 2013.
    Outlook2013,
    /// Microsoft Outlook 2016.
    Outlook2016,
    /// Microsoft Outlook 2019, the default: the oldest version that keeps mail on the server.
    #[default]
    Outlook2019,
    /// Microsoft Outlook 2021.
    Outlook2021,
    /// Microsoft Outlook 2024 Preview.
    Outlook2024,
    /// Outlook for Windows (new).
    OutlookNew,
    /// Not Outlook: the strict generic client of RFC 1939 and its extensions.
    Rfc1939,
}

impl Profile {
    /// All profiles: the versions of Outlook, oldest first, then the generic one.
    pub const ALL: [Self; 9] = [
        Self::Outlook2007,
        Self::Outlook2010,
        Self::Outlook2013,
        Self::Outlook2016,
        Self::Outlook2019,
        Self::Outlook2021,
        Self::Outlook2024,
        Self::OutlookNew,
        Self::Rfc1939,
    ];

    /// The name used on the command line and in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Outlook2007 => "outlook-2007",
            Self::Outlook2010 => "outlook-2010",
            Self::Outlook2013 => "outlook-2013",
            Self::Outlook2016 => "outlook-2016",
            Self::Outlook2019 => "outlook-2019",
            Self::Outlook2021 => "outlook-2021",
            Self::Outlook2024 => "outlook-2024",
            Self::OutlookNew => "outlook-new",
            Self::Rfc1939 => "rfc1939",
        }
    }

    /// True if APOP may be used when the user asks for it. Outlook does not have it
    /// (`OPOP3:V0008`).
    pub const fn has_apop(self) -> bool {
        matches!(self, Self::Rfc1939)
    }

    /// True if PASS may be sent together with USER, if the server pipelines and TLS protects them.
    /// Outlook sends it after a USER that succeeded (`OPOP3:C0045`, `C0047`).
    pub const fn sends_pass_with_user(self) -> bool {
        matches!(self, Self::Rfc1939)
    }

    /// True if the lines of LIST, UIDL and CAPA are un-stuffed, and only a lone dot ends them (RFC
    /// 1939 §3). In Outlook any line that begins with a dot ends them (`OPOP3:V0002`).
    pub const fn unstuffs_listings(self) -> bool {
        matches!(self, Self::Rfc1939)
    }

    /// True if messages stay on the server after they were retrieved, unless the user sets it
    /// (`OPOP3:C0048`).
    pub const fn leaves_on_server(self) -> bool {
        match self {
            Self::Outlook2007 | Self::Outlook2010 | Self::Outlook2013 | Self::Outlook2016 => false,
            Self::Outlook2019
            | Self::Outlook2021
            | Self::Outlook2024
            | Self::OutlookNew
            | Self::Rfc1939 => true,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name is not one of [`Profile::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no such profile: expected one of {}", Profile::ALL.map(Profile::name).join(", "))]
pub struct UnknownProfile;

impl FromStr for Profile {
    type Err = UnknownProfile;

    fn from_str(name: &str) -> Result<Self, UnknownProfile> {
        Self::ALL
            .into_iter()
            .find(|profile| profile.name() == name)
            .ok_or(UnknownProfile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for profile in Profile::ALL {
            assert_eq!(profile.name().parse(), Ok(profile));
        }
        assert_eq!("outlook-2003".parse::<Profile>(), Err(UnknownProfile));
    }

    /// OPOP3:C0048: 2007 to 2016 delete after syncing; 2019 and later keep.
    #[test]
    fn older_profiles_delete_and_newer_ones_keep() {
        let keeping: Vec<_> = Profile::ALL
            .into_iter()
            .filter(|profile| profile.leaves_on_server())
            .map(Profile::name)
            .collect();
        assert_eq!(
            keeping,
            [
                "outlook-2019",
                "outlook-2021",
                "outlook-2024",
                "outlook-new",
                "rfc1939"
            ]
        );
    }

    /// OPOP3:V0008, C0045, C0047.
    #[test]
    fn no_outlook_has_apop_or_sends_pass_before_user_is_answered() {
        for profile in &Profile::ALL[..8] {
            assert!(!profile.has_apop() && !profile.sends_pass_with_user());
            // OPOP3:V0002.
            assert!(!profile.unstuffs_listings());
        }
        assert!(Profile::ALL[8].has_apop());
    }
}
