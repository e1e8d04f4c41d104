//! What mails say: short, polite, in English.

use serde::{Deserialize, Serialize};

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Whoever signed up shows that the address is theirs.
    VerifyAddress,
    /// Somebody signed up with an address that has an account already.
    AddressTaken,
    /// Whoever forgot the password sets a new one.
    ResetPassword,
    /// Somebody wants to set a new password for an address that has no account.
    NoAccount,
    /// The password is another one now.
    PasswordChanged,
    /// Whoever wants another address shows that it is theirs; it goes to that one.
    VerifyNewAddress,
    /// The account has another address now; it goes to the former one.
    AddressChanged,
    /// Somebody is asked to have an account.
    Invitation,
    /// One-time codes are asked for from now on.
    SecondFactorEnabled,
    /// One-time codes are asked for no longer.
    SecondFactorDisabled,
    /// Whoever an identity provider knows signs in to the account now.
    IdentityLinked,
}

/// What a mail is made of.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The shop's name; what breaks lines in it is taken for a space.
    pub shop: &'a str,
    /// Where to go. With a link, the code is left out.
    pub link: Option<&'a str>,
    /// What to enter in the shop.
    pub code: Option<&'a str>,
    /// How long the link or code is valid.
    pub minutes: u32,
}

/// Shows the shop alone: a link or a code is as good as a password.
impl std::fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Facts").field("shop", &self.shop).field("minutes", &self.minutes).finish_non_exhaustive()
    }
}

/// The sentences of an occasion; `{shop}` stands for the shop's name.
struct Sentences {
    subject: &'static str,
    /// What happened.
    news: &'static str,
    /// What the link or code is for, after "To".
    aim: &'static str,
    /// What to do if one did not ask for it.
    otherwise: &'static str,
}

const VERIFY_ADDRESS: Sentences = Sentences {
    subject: "Please confirm your address for {shop}",
    news: "thank you for signing up at {shop}. We only need to know that this address is yours.",
    aim: "confirm it",
    otherwise: "If you did not sign up, please ignore this mail. Nobody can confirm the address without it.",
};

const ADDRESS_TAKEN: Sentences = Sentences {
    subject: "You have an account at {shop} already",
    news: "somebody, perhaps you, wanted to sign up at {shop} with this address. It has an account already, so no other \
           was made. You can sign in as before.",
    aim: "set a new password if you forgot yours",
    otherwise: "If it was not you, there is nothing to do: your account is as it was.",
};

const RESET_PASSWORD: Sentences = Sentences {
    subject: "A new password for {shop}",
    news: "you asked to set a new password for your account at {shop}.",
    aim: "set it",
    otherwise: "If you did not ask, please ignore this mail: your password stays as it is. Pass on to nobody what is in it; \
                we never ask for it.",
};

const NO_ACCOUNT: Sentences = Sentences {
    subject: "You have no account at {shop}",
    news: "somebody, perhaps you, wanted to set a new password at {shop} for this address. It has no account there; perhaps \
           you signed up with another address.",
    aim: "sign up",
    otherwise: "If it was not you, please ignore this mail.",
};

const PASSWORD_CHANGED: Sentences = Sentences {
    subject: "Your password for {shop} has been changed",
    news: "the password of your account at {shop} has been changed. If that was you, there is nothing to do.",
    aim: "set another one if it was not you",
    otherwise: "If you did not change it, please set a new password right away and tell us.",
};

const VERIFY_NEW_ADDRESS: Sentences = Sentences {
    subject: "Please confirm your new address for {shop}",
    news: "you asked to use this address for your account at {shop} from now on.",
    aim: "confirm it",
    otherwise: "If you did not ask, please ignore this mail: without your confirmation, nothing changes.",
};

const ADDRESS_CHANGED: Sentences = Sentences {
    subject: "Your address for {shop} has been changed",
    news: "your account at {shop} has another mail address now. If that was you, there is nothing to do.",
    aim: "take your account back if it was not you",
    otherwise: "If you did not change it, please tell us right away: somebody else may be using your account.",
};

const INVITATION: Sentences = Sentences {
    subject: "You are invited to {shop}",
    news: "you are invited to have an account at {shop}.",
    aim: "accept the invitation and choose a password",
    otherwise: "If you did not expect this, please ignore this mail: without it, nobody can use the account.",
};

const SECOND_FACTOR_ENABLED: Sentences = Sentences {
    subject: "One-time codes protect your account at {shop} now",
    news: "whoever signs in to your account at {shop} needs a one-time code besides the password from now on. If you turned \
           that on, there is nothing to do.",
    aim: "set a new password if it was not you",
    otherwise: "If you did not turn it on, please set a new password right away and tell us.",
};

const SECOND_FACTOR_DISABLED: Sentences = Sentences {
    subject: "One-time codes no longer protect your account at {shop}",
    news: "your account at {shop} can be used with the password alone from now on. If you wanted that, there is nothing to \
           do.",
    aim: "set a new password if it was not you",
    otherwise: "If you did not want it, please set a new password right away and tell us.",
};

const IDENTITY_LINKED: Sentences = Sentences {
    subject: "Another way into your account at {shop}",
    news: "your account at {shop} can be signed in to through another provider now. If that was you, there is nothing to do.",
    aim: "set another password if it was not you",
    otherwise: "If you did not link it, please set a new password right away and tell us.",
};

/// The subject and the text of a mail.
#[must_use]
pub fn write(occasion: Occasion, facts: &Facts<'_>) -> (String, String) {
    let Sentences { subject, news, aim, otherwise } = match occasion {
        Occasion::VerifyAddress => VERIFY_ADDRESS,
        Occasion::AddressTaken => ADDRESS_TAKEN,
        Occasion::ResetPassword => RESET_PASSWORD,
        Occasion::NoAccount => NO_ACCOUNT,
        Occasion::PasswordChanged => PASSWORD_CHANGED,
        Occasion::VerifyNewAddress => VERIFY_NEW_ADDRESS,
        Occasion::AddressChanged => ADDRESS_CHANGED,
        Occasion::Invitation => INVITATION,
        Occasion::SecondFactorEnabled => SECOND_FACTOR_ENABLED,
        Occasion::SecondFactorDisabled => SECOND_FACTOR_DISABLED,
        Occasion::IdentityLinked => IDENTITY_LINKED,
    };
    let shop = one_line(facts.shop);
    let named = |sentence: &str| sentence.replace("{shop}", &shop);
    let valid = duration(facts.minutes);
    let action = match (facts.link, facts.code) {
        (Some(link), _) => format!("To {aim}, open this link, which is valid for {valid}:\n\n{link}\n\n"),
        (None, Some(code)) => format!("To {aim}, enter this code, which is valid for {valid}:\n\n{code}\n\n"),
        (None, None) => String::new(),
    };
    (named(subject), format!("Hello,\n\n{}\n\n{action}{otherwise}\n\nKind regards\n{shop}\n", named(news)))
}

/// A name without line breaks and what else is no letter of one.
fn one_line(name: &str) -> String {
    let name = name.replace(char::is_control, " ");
    name.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Minutes, or whole hours or days, in words.
fn duration(minutes: u32) -> String {
    let (number, unit) = match minutes {
        day if day >= 2 * 24 * 60 && day % (24 * 60) == 0 => (day / (24 * 60), "day"),
        hour if hour >= 60 && hour % 60 == 0 => (hour / 60, "hour"),
        minute => (minute, "minute"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const OCCASIONS: [Occasion; 11] = [
        Occasion::Invitation,
        Occasion::SecondFactorEnabled,
        Occasion::SecondFactorDisabled,
        Occasion::NoAccount,
        Occasion::VerifyAddress,
        Occasion::AddressTaken,
        Occasion::ResetPassword,
        Occasion::PasswordChanged,
        Occasion::VerifyNewAddress,
        Occasion::AddressChanged,
        Occasion::IdentityLinked,
    ];
    const LINK: &str = "https://shop.example/confirm?token=abc";

    fn facts<'a>(link: Option<&'a str>, code: Option<&'a str>) -> Facts<'a> {
        Facts { shop: "Müller & Sons", link, code, minutes: 30 }
    }

    #[test]
    fn each_kind_names_the_shop_and_its_link_on_a_line_of_its_own() {
        for occasion in OCCASIONS {
            let (subject, text) = write(occasion, &facts(Some(LINK), Some("904417")));
            assert!(subject.contains("Müller & Sons"), "{subject}");
            assert!(text.contains("at Müller & Sons") && text.ends_with("Müller & Sons\n"), "{text}");
            assert!(text.lines().any(|line| line == LINK) && !text.contains("904417"), "{text}");
            assert!(text.contains("30 minutes"), "{text}");
        }
    }

    #[test]
    fn without_a_link_the_code_is_given() {
        for occasion in OCCASIONS {
            let (_, text) = write(occasion, &facts(None, Some("904417")));
            assert!(text.lines().any(|line| line == "904417") && text.contains("30 minutes"), "{text}");
        }
    }

    #[test]
    fn each_kind_says_what_to_do_if_one_did_not_ask() {
        for occasion in OCCASIONS {
            let (_, text) = write(occasion, &facts(None, None));
            assert!(text.contains("If you did not") || text.contains("If it was not you"), "{text}");
            assert!(!text.contains("minutes") && !text.contains("this link"), "{text}");
        }
    }

    #[test]
    fn no_two_kinds_have_the_same_subject() {
        let subjects: std::collections::BTreeSet<_> =
            OCCASIONS.map(|occasion| write(occasion, &facts(None, None)).0).into();
        assert_eq!(subjects.len(), OCCASIONS.len());
    }

    #[test]
    fn a_name_that_breaks_lines_does_not_break_the_subject() {
        let (subject, _) =
            write(Occasion::ResetPassword, &Facts { shop: " Ann's\r\nBcc: eve ", ..facts(Some(LINK), None) });
        assert_eq!(subject, "A new password for Ann's Bcc: eve");
    }

    #[test]
    fn a_time_is_said_in_the_largest_unit_that_fits() {
        for (minutes, said) in [
            (1, "1 minute"),
            (30, "30 minutes"),
            (60, "1 hour"),
            (90, "90 minutes"),
            (1_440, "24 hours"),
            (2_880, "2 days"),
        ] {
            assert_eq!(duration(minutes), said);
        }
    }
}
