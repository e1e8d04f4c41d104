//! Places on earth, as far as tax, shipping and addresses need them.

pub mod countries;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;

/// A place that goods go to, come from, or are taxed at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// ISO 3166-1 alpha-2, or `XK`; two capital letters.
    pub country: String,
    /// The second part of its ISO 3166-2 code, such as `CA` of `US-CA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// As it is written there, without blanks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

/// A part of the world: a country, or some of its regions or postal codes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// ISO 3166-1 alpha-2, or `XK`; none for the whole world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The second part of its ISO 3166-2 code; none for the whole country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What postal codes begin with, without blanks; none for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_prefix: Option<String>,
}

impl Area {
    /// How closely it fits a place: higher is closer; none if the place lies elsewhere. The whole world fits every place, a
    /// country closer, a region closer still, and postal codes closest, longer beginnings before shorter ones. Two areas that
    /// differ never fit a place equally close.
    #[must_use]
    pub fn fit(&self, place: &Place) -> Option<u32> {
        let country = match &self.country {
            None => return (self.region.is_none() && self.postal_prefix.is_none()).then_some(0),
            Some(country) => country == &place.country,
        };
        let region = self.region.is_none() || self.region == place.region;
        let code = place.postal_code.as_deref().unwrap_or_default();
        let postal = self.postal_prefix.as_deref().is_none_or(|prefix| code.starts_with(prefix));
        let length = self.postal_prefix.as_deref().map_or(0, str::len);
        // Doubled, so that a region tells areas apart whose postal codes begin alike, and no others.
        let postal_closeness = u32::try_from(length).unwrap_or(u32::MAX).saturating_mul(2);
        (country && region && postal)
            .then(|| 1_u32.saturating_add(u32::from(self.region.is_some())).saturating_add(postal_closeness))
    }
}

/// As it is told and compared: `*` for the whole world, else `DE`, `US-CA`, `US/941` or `US-CA/941`.
impl fmt::Display for Area {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.country.as_deref().unwrap_or("*"))?;
        self.region.iter().try_for_each(|region| write!(f, "-{region}"))?;
        self.postal_prefix.iter().try_for_each(|prefix| write!(f, "/{prefix}"))
    }
}

impl Place {
    /// A place as somebody typed it: codes in capital letters, without blanks; what is left empty is left out.
    #[must_use]
    pub fn typed(country: &str, region: Option<&str>, postal_code: Option<&str>) -> Self {
        let part = |text: &str| text.split_whitespace().collect::<String>().to_uppercase();
        let given = |text: Option<&str>| text.map(part).filter(|part| !part.is_empty());
        Self { country: part(country), region: given(region), postal_code: given(postal_code) }
    }
}

/// The closest fit of some areas to a place; none if it lies in none of them.
#[must_use]
pub fn closest(areas: &[Area], place: &Place) -> Option<u32> {
    areas.iter().filter_map(|area| area.fit(place)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(country: &str, region: Option<&str>, postal: Option<&str>) -> Area {
        let text = |part: Option<&str>| part.map(str::to_owned);
        Area { country: Some(country.to_owned()), region: text(region), postal_prefix: text(postal) }
    }

    #[test]
    fn areas_that_differ_are_told_apart() {
        let world = Area { country: None, region: None, postal_prefix: None };
        let told = [
            world,
            area("US", None, None),
            area("US", Some("CA"), None),
            area("US", None, Some("9")),
            area("US", Some("CA"), Some("9")),
        ];
        assert_eq!(told.map(|area| area.to_string()), ["*", "US", "US-CA", "US/9", "US-CA/9"]);
    }

    #[test]
    fn a_place_is_read_as_people_type_it() {
        let place = Place::typed(" gb ", Some(""), Some("sw1a 1aa"));
        assert_eq!(place, Place { country: "GB".to_owned(), region: None, postal_code: Some("SW1A1AA".to_owned()) });
    }

    #[test]
    fn the_closest_area_fits_best() {
        let world = Area { country: None, region: None, postal_prefix: None };
        let place = Place { country: "US".into(), region: Some("CA".into()), postal_code: Some("94105".into()) };
        let fits: Vec<_> = [
            world,
            area("US", None, None),
            area("US", Some("CA"), None),
            area("US", None, Some("9")),
            area("US", Some("CA"), Some("9")),
            area("US", None, Some("94")),
            area("US", Some("CA"), Some("94")),
            area("US", None, Some("9410")),
        ]
        .iter()
        .map(|area| area.fit(&place).expect("it lies there"))
        .collect();
        assert!(fits.is_sorted_by(|one, other| one < other), "{fits:?}");
        for elsewhere in [area("CA", None, None), area("US", Some("NY"), None), area("US", None, Some("10"))] {
            assert_eq!(elsewhere.fit(&place), None);
        }
    }
}
