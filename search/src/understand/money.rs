//! How people name money.

use schemas::money::Currency;

/// A way of naming money: it may be that of several countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money(&'static [&'static str]);

/// Spellings in small letters, and the currencies they may mean, the likeliest first.
type Spelled = (&'static [&'static str], &'static [&'static str]);

const SPELLINGS: &[Spelled] = &[
    (&["$", "dollar", "dollars", "buck", "bucks"], &["USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD"]),
    (&["us$"], &["USD"]),
    (&["ca$", "c$"], &["CAD"]),
    (&["a$", "au$"], &["AUD"]),
    (&["nz$"], &["NZD"]),
    (&["hk$"], &["HKD"]),
    (&["s$"], &["SGD"]),
    (&["mx$"], &["MXN"]),
    (&["r$", "real", "reais"], &["BRL"]),
    (&["€", "euro", "euros"], &["EUR"]),
    (&["£", "pound", "pounds", "quid"], &["GBP", "EGP"]),
    (&["¥", "円"], &["JPY", "CNY"]),
    (&["yen"], &["JPY"]),
    (&["yuan", "rmb", "元"], &["CNY"]),
    (&["₹", "rs", "rs.", "rupee", "rupees"], &["INR", "PKR", "LKR", "NPR"]),
    (&["kr", "kr.", "krona", "kronor"], &["SEK", "NOK", "DKK", "ISK"]),
    (&["krone", "kroner"], &["NOK", "DKK"]),
    (&["zł", "zl", "zloty", "złoty", "złotych"], &["PLN"]),
    (&["kč", "koruna", "korun"], &["CZK"]),
    (&["forint"], &["HUF"]),
    (&["lei"], &["RON", "MDL"]),
    (&["₽", "ruble", "rubles", "rouble", "roubles", "руб", "руб.", "рублей"], &["RUB"]),
    (&["₴", "hryvnia"], &["UAH"]),
    (&["₺", "lira"], &["TRY"]),
    (&["₩", "won", "원"], &["KRW"]),
    (&["₪", "shekel", "shekels"], &["ILS"]),
    (&["฿", "baht"], &["THB"]),
    (&["₫", "dong"], &["VND"]),
    (&["₱"], &["PHP"]),
    (&["₦", "naira"], &["NGN"]),
    (&["franc", "francs", "sfr"], &["CHF", "XOF", "XAF"]),
    (&["peso", "pesos"], &["MXN", "ARS", "CLP", "COP", "PHP", "UYU", "DOP"]),
    (&["dinar", "dinars"], &["KWD", "BHD", "JOD", "TND", "IQD", "RSD", "DZD"]),
    (&["dirham", "dirhams"], &["AED", "MAD"]),
    (&["riyal", "riyals"], &["SAR", "QAR", "OMR", "YER"]),
    (&["rand"], &["ZAR"]),
    (&["ringgit"], &["MYR"]),
];

/// Codes of ISO 4217 that people write; others are words of their own, such as `all`, `cup` and `top`.
const CODES: &[&str] = &[
    "AED", "ARS", "AUD", "BGN", "BHD", "BRL", "CAD", "CHF", "CLP", "CNY", "COP", "CZK", "DKK", "EGP", "EUR", "GBP",
    "HKD", "HUF", "IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KRW", "KWD", "MAD", "MXN", "MYR", "NGN", "NOK", "NZD",
    "OMR", "PHP", "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SEK", "SGD", "THB", "TND", "TWD", "UAH", "USD",
    "VND", "ZAR",
];

/// The money that a word names, in any case.
pub(super) fn read(word: &str) -> Option<Money> {
    let small = word.trim_end_matches([',', ';', '!', '?']).to_lowercase();
    let spelled = SPELLINGS.iter().find(|(spellings, _)| spellings.contains(&small.as_str()));
    let code = || CODES.iter().find(|code| code.eq_ignore_ascii_case(&small)).map(std::slice::from_ref);
    spelled.map(|(_, codes)| *codes).or_else(code).map(Money)
}

impl Money {
    /// The currency that is meant where prices are in another: its own, if that is called so, too.
    #[must_use]
    pub fn currency(self, of_request: Currency) -> Currency {
        let likeliest = self.0.first().and_then(|code| code.parse().ok());
        if self.0.contains(&of_request.code()) { of_request } else { likeliest.unwrap_or(of_request) }
    }

    /// Whether a full stop before three digits is a decimal point for those who pay with it: in dollars and pounds,
    /// and where money has three decimals.
    fn has_points(self) -> bool {
        let likeliest: Option<Currency> = self.0.first().and_then(|code| code.parse().ok());
        likeliest.is_some_and(|currency| currency.exponent() == 3 || matches!(currency.code(), "USD" | "GBP"))
    }
}

/// An amount as people write it: `1,200.50`, `1.200,50`, `1'200` or `19,99`.
pub(super) fn parse(written: &str, money: Option<Money>) -> Option<f64> {
    let is_sign = |sign: char| matches!(sign, '.' | ',' | '\'' | '’');
    if !written.chars().all(|sign| sign.is_ascii_digit() || is_sign(sign)) {
        return None;
    }
    let decimals = written.rfind(['.', ',']).filter(|at| {
        let (sign, whole, behind) = (&written[*at..=*at], &written[..*at], written.len() - at - 1);
        let again = whole.contains(sign);
        let other = whole.contains(['.', ',']) && !again;
        let thousands =
            behind == 3 && !other && whole != "0" && (sign == "," || money.is_some_and(|money| !money.has_points()));
        behind > 0 && !again && !thousands
    });
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let number = match decimals {
        Some(at) => format!("{}.{}", digits(&written[..at]), digits(&written[at + 1..])),
        None => digits(written),
    };
    number.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        let euros = read("euros");
        for (written, money, amount) in [
            ("1,200.50", None, 1200.5),
            ("1.200,50", None, 1200.5),
            ("1,200", None, 1200.0),
            ("19,99", None, 19.99),
            ("19.9", euros, 19.9),
            ("1.200", euros, 1200.0),
            ("10.500", read("KWD"), 10.5),
            ("1.234.567", None, 1_234_567.0),
            ("1'200.5", None, 1200.5),
            ("0.125", euros, 0.125),
        ] {
            assert_eq!(parse(written, money), Some(amount), "{written}");
        }
        assert_eq!(parse("1x", None), None);
    }

    #[test]
    fn a_name_that_several_countries_share_is_that_of_the_shop() {
        let [usd, cad]: [Currency; 2] = ["USD", "CAD"].map(|code| code.parse().expect("a code"));
        let dollars = read("Dollars").expect("money");
        assert_eq!((dollars.currency(cad), dollars.currency(usd)), (cad, usd));
        assert_eq!(read("€").expect("money").currency(cad).code(), "EUR");
        assert_eq!((read("cup"), read("top")), (None, None));
    }
}
