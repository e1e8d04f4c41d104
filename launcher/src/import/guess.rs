//! `souk import --guess`: proposes a mapping by the names of a file's fields, and shows what it would make.

use super::{
    error::ImportError,
    mapping::{Mapped, Mapping, SHIPPED},
    reader::{Record, Records},
    repair::{amount, text},
};
use schemas::money::{Currency, Money};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    path::Path,
};

/// Records that are looked at; a file is grouped as a whole.
const LOOKED_AT: usize = 500;
/// Products that are shown.
const SHOWN: usize = 5;

/// A proposal.
#[derive(Debug)]
pub(crate) struct Guess {
    /// The mapping as TOML, with its reasons.
    pub(crate) mapping: String,
    /// What it would make, for people.
    pub(crate) preview: String,
}

/// Exports that name themselves by their fields: the shipped mapping, and fields that only they have together.
const EXPORTS: [(&str, &[&str]); 4] = [
    ("shopify", &["Handle", "Variant SKU", "Variant Price"]),
    ("woocommerce", &["Type", "SKU", "Name", "Regular price", "Parent"]),
    ("google-merchant", &["id", "title", "image_link", "availability", "price"]),
    ("icecat", &["@ID", "@Prod_id", "Supplier"]),
];

/// Targets and the names their fields have in the files of shops, in the order of preference: English, German, French,
/// Spanish, Italian, Dutch. Compared without case, space and signs.
const NAMES: [(&str, &[&str]); 12] = [
    (
        "id",
        &[
            "id",
            "productid",
            "itemid",
            "articleid",
            "articlenumber",
            "itemnumber",
            "artikelnummer",
            "artikelnr",
            "artnr",
            "reference",
            "referencia",
            "codice",
            "sku",
            "handle",
            "code",
            "uuid",
        ],
    ),
    (
        "title",
        &[
            "title",
            "name",
            "productname",
            "producttitle",
            "itemname",
            "bezeichnung",
            "artikelbezeichnung",
            "produktname",
            "titel",
            "nom",
            "titre",
            "designation",
            "nombre",
            "titulo",
            "nome",
            "naam",
            "omschrijvingkort",
        ],
    ),
    ("sku", &["sku", "variantsku", "skucode", "articlenumber", "artikelnummer"]),
    (
        "brand",
        &[
            "brand",
            "manufacturer",
            "vendor",
            "maker",
            "supplier",
            "marke",
            "hersteller",
            "marque",
            "fabricant",
            "marca",
            "fabricante",
            "merk",
        ],
    ),
    (
        "description",
        &[
            "description",
            "longdescription",
            "body",
            "bodyhtml",
            "details",
            "beschreibung",
            "langtext",
            "descriptif",
            "descripcion",
            "descrizione",
            "beschrijving",
            "shortdescription",
            "kurzbeschreibung",
        ],
    ),
    ("part_number", &["partnumber", "mpn", "manufacturerpartnumber", "modelnumber", "model", "herstellernummer"]),
    ("ean", &["ean", "gtin", "barcode", "upc", "isbn", "eancode", "gtin13", "codebarre"]),
    (
        "images",
        &[
            "images",
            "image",
            "imageurl",
            "imagelink",
            "picture",
            "pictureurl",
            "photo",
            "imgurl",
            "bild",
            "bilder",
            "bildurl",
            "imagen",
            "imagenes",
            "immagine",
            "afbeelding",
            "imgs",
            "thumbnail",
        ],
    ),
    (
        "price",
        &[
            "price",
            "listprice",
            "regularprice",
            "retailprice",
            "unitprice",
            "msrp",
            "preis",
            "vkpreis",
            "bruttopreis",
            "listenpreis",
            "prix",
            "prixttc",
            "precio",
            "prezzo",
            "prijs",
        ],
    ),
    (
        "sale",
        &[
            "saleprice",
            "specialprice",
            "discountprice",
            "offerprice",
            "angebotspreis",
            "sonderpreis",
            "prixpromo",
            "preciooferta",
        ],
    ),
    (
        "stock",
        &[
            "stock",
            "quantity",
            "qty",
            "inventory",
            "onhand",
            "stockquantity",
            "instock",
            "availability",
            "bestand",
            "lagerbestand",
            "menge",
            "quantite",
            "existencias",
            "cantidad",
            "giacenza",
            "voorraad",
        ],
    ),
    (
        "categories",
        &[
            "categories",
            "category",
            "categorypath",
            "breadcrumb",
            "breadcrumbs",
            "producttype",
            "department",
            "taxonomy",
            "kategorie",
            "kategorien",
            "warengruppe",
            "categorie",
            "rayon",
            "categoria",
            "categorias",
        ],
    ),
];

/// Fields that name a currency.
const CURRENCIES: [&str; 5] = ["currency", "currencycode", "pricecurrency", "waehrung", "devise"];

/// Proposes a mapping for a file.
///
/// # Errors
/// If the file can't be read, has no fields, or none that could be a title.
pub(crate) fn guess(file: &Path, currency: Option<Currency>) -> Result<Guess, ImportError> {
    let sample = sample(file)?;
    let fields = field_names(&sample);
    let (reason, mapping) = match export_of(&fields) {
        Some((name, toml)) => {
            (format!("The fields are those of an export that souk knows: --mapping {name}"), toml.to_owned())
        }
        None => (
            "A proposal by the names of the fields. Look it over, and import with --mapping FILE".to_owned(),
            proposed(file, &fields, &sample)?,
        ),
    };
    let mut parsed = Mapping::parse("the proposal", &mapping)?;
    if let Some(currency) = currency {
        parsed.set_currency(currency);
    }
    let preview = format!("{reason}\n{}", preview(file, &parsed)?);
    Ok(Guess { mapping, preview })
}

fn sample(file: &Path) -> Result<Vec<Record>, ImportError> {
    let records = Records::open(file)?.take(LOOKED_AT);
    records.collect::<Result<_, _>>().map_err(ImportError::reading(file))
}

/// The names of the fields in the order they come up, those inside objects with dots.
fn field_names(sample: &[Record]) -> Vec<String> {
    let (mut names, mut seen) = (Vec::new(), BTreeSet::new());
    for fields in sample.iter().filter_map(|record| record.fields.as_ref().ok()) {
        for (name, value) in fields {
            let inner = value.as_object().into_iter().flatten().map(|(inner, _)| format!("{name}.{inner}"));
            for name in std::iter::once(name.clone()).chain(inner) {
                if seen.insert(name.clone()) {
                    names.push(name);
                }
            }
        }
    }
    names
}

fn export_of(fields: &[String]) -> Option<(&'static str, &'static str)> {
    let (name, _) =
        EXPORTS.iter().find(|(_, needed)| needed.iter().all(|need| fields.iter().any(|field| field == need)))?;
    SHIPPED.iter().find(|(shipped, _)| shipped == name).copied()
}

/// Lower-case letters and digits alone, umlauts spelt out.
fn plain(name: &str) -> String {
    let spelt = name.to_lowercase().replace('ä', "ae").replace('ö', "oe").replace('ü', "ue").replace('ß', "ss");
    let folded = spelt.chars().map(|letter| match letter {
        'é' | 'è' | 'ê' => 'e',
        'á' | 'à' | 'â' => 'a',
        'í' | 'î' => 'i',
        'ó' | 'ô' => 'o',
        'ú' | 'û' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        other => other,
    });
    folded.filter(|letter| letter.is_ascii_alphanumeric()).collect()
}

fn proposed(file: &Path, fields: &[String], sample: &[Record]) -> Result<String, ImportError> {
    let field = |names: &[&str]| {
        let by_name = |name: &&str| {
            fields
                .iter()
                .find(|field| plain(field) == **name || plain(field.rsplit('.').next().unwrap_or_default()) == **name)
        };
        names.iter().find_map(by_name)
    };
    let of = |target: &str| NAMES.iter().find(|(name, _)| *name == target).and_then(|(_, names)| field(names));
    let quoted = |name: &str| toml::Value::String(name.to_owned()).to_string();
    let title = of("title").ok_or_else(|| {
        let names = fields.join(", ");
        ImportError::BadOption(format!("no field of {} looks like a title; its fields: {names}", file.display()))
    })?;
    let id = of("id").unwrap_or(title);
    // Writing into a String can't fail.
    let mut toml = String::new();
    let _ = writeln!(toml, "id = {}\ntitle = {}", quoted(id), quoted(title));
    let mut used: BTreeSet<&String> = BTreeSet::from([id, title]);
    for target in ["sku", "brand", "description", "part_number", "ean", "images"] {
        if let Some(field) = of(target) {
            used.insert(field);
            let _ = writeln!(toml, "{target} = {}", quoted(field));
        }
    }
    if let Some(price) = of("price") {
        used.insert(price);
        let currency = currency_of(price, sample);
        let _ = write!(
            toml,
            "\n[price]\nfield = {}\ncurrency = \"{currency}\" # of prices that name none\n",
            quoted(price)
        );
        if let Some(sale) = of("sale") {
            used.insert(sale);
            let _ = writeln!(toml, "sale = {}", quoted(sale));
        }
        if let Some(currency) = field(&CURRENCIES) {
            used.insert(currency);
            let _ = writeln!(toml, "currency_field = {}", quoted(currency));
        }
    }
    if let Some(stock) = of("stock") {
        used.insert(stock);
        let _ = write!(toml, "\n[stock]\nfield = {}\n", quoted(stock));
    }
    if let Some(categories) = of("categories") {
        used.insert(categories);
        let separator = separator_of(categories, sample);
        let _ = write!(toml, "\n[categories]\nfield = {}\nseparator = {}\n", quoted(categories), quoted(separator));
    }
    let others: Vec<&String> =
        fields.iter().filter(|field| !used.contains(field) && !field.contains(['.', '*'])).collect();
    if !others.is_empty() {
        toml.push_str("\n# What is left is kept as attributes: remove what shoppers don't need.\n[attributes]\n");
        for field in others {
            let _ = writeln!(toml, "{} = \"auto\"", quoted(field));
        }
    }
    Ok(toml)
}

/// What stands between the names of a way through the tree, by how often it does.
/// The currency that most prices name.
fn currency_of(field: &str, sample: &[Record]) -> String {
    let texts = sample.iter().filter_map(|record| record.fields.as_ref().ok()?.get(field)?.as_str());
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for amount in texts.filter_map(|text| amount::read(text, None)) {
        *named.entry(amount.currency.code().to_owned()).or_default() += 1;
    }
    named.into_iter().max_by_key(|(_, count)| *count).map_or_else(|| "USD".to_owned(), |(code, _)| code)
}

fn separator_of(field: &str, sample: &[Record]) -> &'static str {
    let texts: Vec<&str> =
        sample.iter().filter_map(|record| record.fields.as_ref().ok()?.get(field)?.as_str()).collect();
    let count = |separator: &&str| texts.iter().filter(|text| text.contains(*separator)).count();
    [">", "/", "|", "\\"].into_iter().rev().max_by_key(count).filter(|found| count(found) > 0).unwrap_or(">")
}

/// The first products that a mapping makes, and what it can't make a product of.
fn preview(file: &Path, mapping: &Mapping) -> Result<String, ImportError> {
    let failed = ImportError::reading(file);
    let mut records = Records::open(file)?;
    if let Some(rule) = mapping.group() {
        records = records.grouped(rule).map_err(&failed)?;
    }
    let (mut shown, mut text) = (0, String::new());
    for record in records.take(LOOKED_AT) {
        if shown == SHOWN {
            break;
        }
        let Record { line, fields, mut repairs, .. } = record.map_err(&failed)?;
        let mapped = fields.and_then(|mut fields| {
            text::decode_record(&mut fields, &mut repairs);
            mapping.apply(&fields)
        });
        // Writing into a String can't fail.
        let _ = match mapped {
            Ok(mapped) => writeln!(text, "{}", shown_as(line, &mapped)),
            Err(reason) => writeln!(text, "line {line}: no product: {reason}"),
        };
        shown += 1;
    }
    Ok(text)
}

fn shown_as(line: u64, mapped: &Mapped) -> String {
    let product = &mapped.product;
    let mut text = format!("line {line}: {} `{}`", product.external_id, product.title);
    if let Some(brand) = &product.brand {
        let _ = write!(text, ", {brand}");
    }
    let categories: Vec<&str> = mapped.categories.iter().map(super::categories::CategoryPath::id).collect();
    if !categories.is_empty() {
        let _ = write!(text, ", in {}", categories.join(" and "));
    }
    let _ = write!(text, ", {} pictures, {} attributes", product.images.len(), product.attributes.len());
    for (variant, offer) in product.variants.iter().zip(&mapped.offers).take(SHOWN) {
        let options: Vec<&str> = variant.options.values().map(String::as_str).collect();
        let _ = write!(text, "\n    {} {}", variant.sku, options.join(" "));
        for price in &offer.prices {
            let _ = write!(text, " {}", Money { amount: price.amount(), currency: price.currency });
        }
        if let Some(pieces) = offer.on_hand {
            let _ = write!(text, ", {pieces} pieces");
        }
    }
    for repaired in mapped.repairs.as_slice().iter().take(SHOWN) {
        let _ = write!(
            text,
            "\n    {} {}: {:?} -> {:?}",
            repaired.field,
            repaired.repair.words(),
            repaired.before,
            repaired.after
        );
    }
    text
}
