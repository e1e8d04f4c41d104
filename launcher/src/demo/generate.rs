//! The generator: one product after the other, everything drawn; some kinds are more common than others.

use super::{
    catalog::{self, Choice, Department, Kind, Values},
    draw::Draw,
    name::{self, Taken},
    phrase,
    product::{DemoProduct, DemoVariant},
};
use chrono::{Days, NaiveDate};
use serde_json::Value;
use std::collections::BTreeMap;

/// Attempts at a title that no product has yet.
const TITLE_ATTEMPTS: usize = 30;
/// How many times more common than the rarest a kind can be.
const COMMONEST: i64 = 9;
/// Options in which every value stands for itself, so that a product has a few of them.
const COLOURS: [&str; 4] = ["colour", "finish", "frame", "language"];

/// Makes products without end.
pub struct Generator {
    departments: Vec<Department>,
    /// How common each kind is, over all departments.
    weights: Vec<i64>,
    draw: Draw,
    taken: Taken,
    made: usize,
}

impl Generator {
    /// A generator; the same seed makes the same products.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let (departments, mut draw) = (catalog::departments(), Draw::new(seed));
        let kinds = departments.iter().flat_map(|department| &department.types);
        let weights = kinds.map(|_| draw.between(1, COMMONEST)).collect();
        Self { departments, weights, draw, taken: Taken::default(), made: 0 }
    }

    fn product(&mut self) -> Option<DemoProduct> {
        let mut rest = self.draw.between(1, self.weights.iter().sum());
        let turn = self.weights.iter().position(|weight| {
            rest -= weight;
            rest <= 0
        })?;
        self.made += 1;
        let kinds =
            self.departments.iter().flat_map(|department| department.types.iter().map(move |kind| (department, kind)));
        let (department, kind) = kinds.into_iter().nth(turn)?;
        let (draw, taken) = (&mut self.draw, &mut self.taken);

        let mut sketch = Sketch::draw(draw, department, kind);
        for _ in 0..TITLE_ATTEMPTS {
            if !taken.has_title(&sketch.title) {
                break;
            }
            sketch = Sketch::draw(draw, department, kind);
        }
        let part_number = taken.part_number(draw, &sketch.brand, &kind.noun);
        let (title, slug) = taken.title(std::mem::take(&mut sketch.title), &part_number);
        Some(DemoProduct {
            id: format!("P{}", 100_000 + self.made),
            slug,
            title,
            description: sketch.description(draw, department, kind),
            variants: variants(draw, taken, kind, &part_number),
            part_number,
            brand: sketch.brand,
            product_type: kind.noun.clone(),
            categories: vec![format!("{} > {}", department.name, kind.path.join(" > "))],
            attributes: sketch.attributes,
            released_at: released_at(draw),
        })
    }
}

impl Iterator for Generator {
    type Item = DemoProduct;

    fn next(&mut self) -> Option<DemoProduct> {
        self.product()
    }
}

/// What is drawn first of a product, since its title depends on it.
struct Sketch {
    brand: String,
    attributes: BTreeMap<String, Value>,
    words: BTreeMap<String, String>,
    title: String,
}

impl Sketch {
    fn draw(draw: &mut Draw, department: &Department, kind: &Kind) -> Self {
        let brand = draw.one(&department.brands).clone();
        let mut words = BTreeMap::from([
            ("brand".to_owned(), brand.clone()),
            ("series".to_owned(), draw.one(&kind.series).clone()),
            ("noun".to_owned(), kind.noun.clone()),
        ]);
        let mut attributes = BTreeMap::new();
        for (attribute, values) in &kind.attributes {
            let value = match values {
                Values::List(list) => draw.one(list).clone(),
                Values::Steps { from, to, step } => Value::from(from + step * draw.between(0, (to - from) / step)),
            };
            words.insert(attribute.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned));
            attributes.insert(attribute.clone(), value);
        }
        let title = phrase::title(&kind.title, &words);
        Self { brand, attributes, words, title }
    }

    fn description(&self, draw: &mut Draw, department: &Department, kind: &Kind) -> String {
        let mut sentences = vec![draw.one(&kind.about)];
        sentences.extend(draw.run(&kind.notes, 1, 2));
        sentences.push(draw.one(&department.closing));
        // What the title names is written there with capitals.
        let words = phrase::in_sentences(&self.words, &kind.title);
        sentences.into_iter().map(|sentence| phrase::sentence(sentence, &words)).collect::<Vec<_>>().join(" ")
    }
}

fn variants(draw: &mut Draw, taken: &mut Taken, kind: &Kind, part_number: &str) -> Vec<DemoVariant> {
    let [low, high] = kind.price;
    // Cheap things are more common than dear ones: the lower of two draws.
    let base = draw.between(low, high).min(draw.between(low, high)) / 100 * 100;
    let ending = *draw.one(&[99, 99, 95, 90, 0]);
    let off = if draw.percent(22) { *draw.one(&[10, 15, 20, 25, 30, 40]) } else { 0 };
    let mut chosen: Vec<(&str, &Choice, &[String])> = Vec::new();
    for (name, choice) in &kind.options {
        let values = match (COLOURS.contains(&name.as_str()), kind.options.len()) {
            (true, 1) => draw.run(&choice.values, 2, 3),
            (true, _) => draw.run(&choice.values, 1, 2),
            (false, _) => draw.run(&choice.values, 2, 4),
        };
        chosen.push((name, choice, values));
    }
    let mut variants = Vec::new();
    for combination in combinations(&chosen) {
        let surcharge: i64 = combination.iter().map(|(_, choice, value)| choice.step * rank(choice, value)).sum();
        let list_price = base + surcharge + ending;
        let sale_price =
            (off > 0).then(|| list_price * (100 - off) / 100 / 10 * 10 + 9).filter(|sale| *sale < list_price);
        let stock = if draw.percent(8) { 0 } else { draw.between(1, 140).min(draw.between(1, 140)) };
        variants.push(DemoVariant {
            sku: name::sku(part_number, combination.iter().map(|(_, _, value)| value.as_str())),
            ean: taken.ean(),
            options: combination.iter().map(|(name, _, value)| ((*name).to_owned(), (*value).clone())).collect(),
            list_price,
            sale_price,
            stock,
        });
    }
    variants
}

fn rank(choice: &Choice, value: &str) -> i64 {
    let place = choice.values.iter().position(|known| known == value).unwrap_or_default();
    i64::try_from(place).unwrap_or_default()
}

type Combination<'a> = Vec<(&'a str, &'a Choice, &'a String)>;

/// Every way to choose one value of each option; one empty way if there are no options.
fn combinations<'a>(chosen: &[(&'a str, &'a Choice, &'a [String])]) -> Vec<Combination<'a>> {
    let mut all: Vec<Combination<'a>> = vec![Vec::new()];
    for (name, choice, values) in chosen {
        all = all
            .iter()
            .flat_map(|begun| {
                values.iter().map(move |value| {
                    let mut longer = begun.clone();
                    longer.push((*name, *choice, value));
                    longer
                })
            })
            .collect();
    }
    all
}

fn released_at(draw: &mut Draw) -> String {
    let days = u64::try_from(draw.between(0, 3_200)).unwrap_or_default();
    NaiveDate::from_ymd_opt(2018, 1, 8)
        .and_then(|first| first.checked_add_days(Days::new(days)))
        .unwrap_or_default()
        .to_string()
}
