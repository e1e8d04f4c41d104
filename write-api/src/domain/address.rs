//! Where parcels and invoices are sent to.

use super::validation::Findings;
use schemas::{place::Place, problem::FieldError};
use serde::{Deserialize, Serialize};

/// ISO 3166-1 alpha-2, and XK, which Kosovo uses.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO \
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU \
    MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB \
    SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY \
    UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Where parcels are sent to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// Who gets it, at most 200 characters.
    pub name: String,
    /// Where they work, if it goes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<String>,
    /// Street and number, or what stands for it.
    pub line1: String,
    /// Floor, door, staircase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// Town or city.
    pub city: String,
    /// State, department or province, where the country has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// ISO 3166-1 alpha-2, such as CO; XK for Kosovo.
    pub country: String,
    /// For the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl PostalAddress {
    /// What of it is not allowed.
    ///
    /// # Errors
    /// Each wrong value with its pointer.
    pub fn check(&self) -> Result<(), Vec<FieldError>> {
        let mut findings = Findings::default();
        for (pointer, text) in [("/name", &self.name), ("/line1", &self.line1), ("/city", &self.city)] {
            findings.line(|| pointer.to_owned(), text, 200);
        }
        for (pointer, text) in [("/company", &self.company), ("/line2", &self.line2), ("/region", &self.region)] {
            optional(&mut findings, pointer, text.as_deref(), 200);
        }
        optional(&mut findings, "/postal_code", self.postal_code.as_deref(), 20);
        phone(&mut findings, self.phone.as_deref());
        if self.country.len() != 2 || !COUNTRIES.split_ascii_whitespace().any(|code| code == self.country) {
            findings.add("/country", "a code of ISO 3166-1 alpha-2 is expected, such as CO, or XK");
        }
        findings.done()
    }

    /// The place it is in, as far as tax and shipping need it. The region counts where it is written as ISO 3166-2 has it.
    #[must_use]
    pub fn place(&self) -> Place {
        let is_code =
            |text: &&String| (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let region = self.region.as_ref().filter(is_code).map(|text| text.to_ascii_uppercase());
        let postal_code = self.postal_code.as_deref().map(|code| code.split_whitespace().collect::<String>());
        Place { country: self.country.clone(), region, postal_code }
    }
}

/// A text of at most so many characters, if there is one.
pub fn optional(findings: &mut Findings, pointer: &'static str, text: Option<&str>, most: usize) {
    if let Some(text) = text {
        findings.line(|| pointer.to_owned(), text, most);
    }
}

/// A number to call, if there is one.
pub fn phone(findings: &mut Findings, text: Option<&str>) {
    let is_phone = |text: &str| {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        let plus = text.strip_prefix('+').unwrap_or(text);
        (4..=20).contains(&digits)
            && text.len() <= 40
            && plus.bytes().all(|byte| byte.is_ascii_digit() || b" -./()".contains(&byte))
    };
    if text.is_some_and(|text| !is_phone(text)) {
        findings.add("/phone", "4 to 20 digits are expected, with spaces and signs between, and + in front");
    }
}
