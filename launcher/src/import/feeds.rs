//! Files in the shapes that shops export, from their bytes to products, with every shipped mapping.

use super::{
    chunks::{Cutting, Row, cut},
    mapping::{Mapped, Mapping},
    reader::Records,
    repair::Repair,
};
use std::io::Write;

async fn rows(mapping: &str, bytes: &[u8], currency: Option<&str>) -> Vec<Row> {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    let mut mapping = Mapping::load(mapping).expect("a mapping");
    if let Some(currency) = currency {
        mapping.set_currency(currency.parse().expect("a currency"));
    }
    let records = Records::open(file.path()).expect("opened");
    let mut chunks = cut(records, Cutting { mapping, skip: 0, size: None });
    let mut rows = Vec::new();
    while let Some(chunk) = chunks.recv().await {
        rows.extend(chunk.expect("read").rows);
    }
    rows
}

fn mapped(rows: &[Row]) -> Vec<&Mapped> {
    rows.iter().map(|row| row.mapped.as_ref().unwrap_or_else(|reason| unreadable(row.line, reason))).collect()
}

#[expect(clippy::panic, reason = "this is how a test fails")]
fn unreadable(line: u64, reason: &str) -> ! {
    panic!("line {line} is no product: {reason}")
}

fn skus(mapped: &Mapped) -> Vec<&str> {
    mapped.product.variants.iter().map(|variant| variant.sku.as_str()).collect()
}

fn amounts(mapped: &Mapped) -> Vec<(i64, Option<i64>, String)> {
    let prices = mapped.offers.iter().flat_map(|offer| &offer.prices);
    prices.map(|price| (price.list_amount, price.sale_amount, price.currency.to_string())).collect()
}

const SHOPIFY: &str = "\
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Qty,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Status\r
wool-hat,Wool Hat,<p>Warm</p>,Nordwind,Clothing > Hats,Hat,\"winter, wool\",TRUE,Size,S,Color,Grey,NW-S,4,25.00,30.00,'4006381333931,https://x/1.jpg,active\r
wool-hat,,,,,,,,,M,,Grey,NW-M,0,25.00,30.00,,https://x/2.jpg,\r
wool-hat,,,,,,,,,,,,,,,,,https://x/3.jpg,\r
voucher,Voucher,,Nordwind,,Voucher,,TRUE,Value,$50.00,,,,0,50.00,,,,active\r
jug,Old Jug,,Nordwind,Home,Jug,,FALSE,Title,Default Title,,,JUG,1,9.00,,,,draft\r
";

#[tokio::test]
async fn rows_of_shopify_are_products_with_variants_and_pictures() {
    let rows = rows("shopify", SHOPIFY.as_bytes(), Some("EUR")).await;
    let products = mapped(&rows);
    assert_eq!(products.len(), 3);
    let hat = products[0];
    assert_eq!((skus(hat), hat.product.images.len(), hat.product.options.len()), (vec!["NW-S", "NW-M"], 3, 2));
    assert_eq!(amounts(hat)[0], (3_000, Some(2_500), "EUR".to_owned()));
    assert_eq!(hat.product.variants[0].eans, ["4006381333931"]);
    assert_eq!(hat.offers.iter().map(|offer| offer.on_hand).collect::<Vec<_>>(), [Some(4), Some(0)]);
    assert_eq!(hat.categories[0].id(), "clothing/hats");
    assert_eq!((skus(products[1]), products[1].product.publish), (vec!["voucher"], true));
    assert_eq!((products[2].product.options.len(), products[2].product.publish), (0, false));
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 5, 6]);
}

const WOOCOMMERCE: &str = "\u{feff}\
ID,Type,SKU,\"GTIN, UPC, EAN, or ISBN\",Name,Published,Description,In stock?,Stock,Sale price,Regular price,Categories,Images,Parent,Attribute 1 name,Attribute 1 value(s)
7,variable,tee,,Band Tee,1,Soft.,1,,,,\"Clothing > Tees, Sale\",\"https://x/a.jpg, https://x/b.jpg\",,Color,\"Blue, Red\"
8,variation,tee-b,4006381333931,Band Tee - Blue,1,,1,7,35,45,,https://x/a.jpg,tee,Color,Blue
9,variation,tee-r,,Band Tee - Red,1,,0,0,,45,,,tee,Color,Red
10,simple,,,Badge,1,,1,,,2.5,Decor,,,,
11,variation,,,Orphan,1,,1,,,5,,,id:99,Color,Red
";

#[tokio::test]
async fn variations_of_woocommerce_come_to_their_product() {
    let rows = rows("woocommerce", WOOCOMMERCE.as_bytes(), None).await;
    let products = mapped(&rows);
    assert_eq!(products.len(), 3);
    assert_eq!((skus(products[0]), products[0].product.images.len()), (vec!["tee-b", "tee-r"], 2));
    assert_eq!(amounts(products[0])[0], (4_500, Some(3_500), "USD".to_owned()));
    assert_eq!(products[0].offers[1].on_hand, Some(0));
    let categories: Vec<_> = products[0].categories.iter().map(|path| path.id().to_owned()).collect();
    assert_eq!(categories, ["clothing/tees", "sale"]);
    assert_eq!((skus(products[1]), products[1].offers[0].on_hand), (vec!["10"], Some(1)));
    assert_eq!(skus(products[2]), ["11"]);
}

const GOOGLE: &str = "\
id\ttitle\tdescription\timage_link\tadditional_image_link\tavailability\tprice\tsale_price\tsale_price_effective_date\tbrand\tgtin\titem_group_id\tsize
TV\tTelevision\tBright\thttps://x/1.jpg\thttps://x/2.jpg,https://x/3.jpg\tin_stock\t1,299.00 USD\t999.00 USD\t2026-01-01T00:00-0800/2030-12-31T23:59-0800\tLumo\t0711719814153\t\t
S1\tShoe 41\tLight\thttps://x/s.jpg\t\tout_of_stock\t89.90 EUR\t\t\tFjell\t\tshoe\t41
S2\tShoe 42\tLight\thttps://x/s.jpg\t\tpreorder\t89.90 EUR\t\t\tFjell\t\tshoe\t42
";

#[tokio::test]
async fn items_of_one_group_are_variants_and_a_sale_ends() {
    let rows = rows("google-merchant", GOOGLE.as_bytes(), None).await;
    let products = mapped(&rows);
    assert_eq!(products.len(), 2);
    assert_eq!((products[0].product.images.len(), products[0].offers[0].on_hand), (3, Some(1)));
    let sale = [(129_900, None, "USD".to_owned()), (129_900, Some(99_900), "USD".to_owned())];
    assert_eq!(amounts(products[0]), sale);
    assert!(products[0].offers[0].prices[1].valid_until.is_some());
    assert_eq!((products[1].product.external_id.as_str(), skus(products[1])), ("shoe", vec!["S1", "S2"]));
    assert_eq!(products[1].product.options[0].values, ["41", "42"]);
}

#[tokio::test]
async fn an_xml_feed_is_read_item_by_item() {
    let feed = "<?xml version=\"1.0\"?>\n<rss xmlns:g=\"http://base.google.com/ns/1.0\"><channel><title>Shop</title>\n\
        <item><g:id>K1</g:id><g:title>Kettle &amp; Lid</g:title><g:description><![CDATA[<b>1.2&nbsp;l</b>]]></g:description>\
        <g:image_link>https://x/1.jpg</g:image_link><g:additional_image_link>https://x/2.jpg</g:additional_image_link>\
        <g:additional_image_link>https://x/3.jpg</g:additional_image_link><g:availability>in stock</g:availability>\
        <g:price>15.00 USD</g:price><g:product_type>Kitchen &gt; Kettles</g:product_type>\
        <g:google_product_category>730</g:google_product_category></item>\n\
        <item><g:id>K2</g:id><g:title>Pot</g:title><g:price>1.299,00 EUR</g:price></item></channel></rss>";
    let rows = rows("google-merchant", feed.as_bytes(), None).await;
    let products = mapped(&rows);
    assert_eq!((products[0].product.title.as_str(), products[0].product.images.len()), ("Kettle & Lid", 3));
    assert_eq!(products[0].product.description.as_deref(), Some("<b>1.2&nbsp;l</b>"));
    let categories: Vec<_> = products[0].categories.iter().map(|path| path.id().to_owned()).collect();
    assert_eq!(categories, ["kitchen/kettles"], "the number is Google's own");
    assert_eq!(amounts(products[1]), [(129_900, None, "EUR".to_owned())]);
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [3, 4]);
}

#[tokio::test]
async fn an_xml_feed_that_breaks_off_says_where() {
    let rows = rows("google-merchant", b"<rss><channel>\n<item><g:id>K1</g:id>", None).await;
    assert!(rows[0].mapped.as_ref().is_err_and(|reason| reason.contains("ends inside")));
}

#[tokio::test]
async fn files_in_other_encodings_read_the_same() {
    let table = "id;title;price\r\n1;Kühlschrank weiß;\"1.299,00 €\"\r\n2;\"Crème\r\nbrûlée\";3,50\r\n3;Tee;9\r\n";
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(table.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let utf16_be: Vec<u8> = table.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let (windows_1252, _, _) = encoding_rs::WINDOWS_1252.encode(table);
    for (name, bytes) in
        [("UTF-8", table.as_bytes()), ("UTF-16", &utf16), ("UTF-16BE", &utf16_be), ("Windows-1252", &windows_1252)]
    {
        let rows = rows("plain", bytes, Some("EUR")).await;
        let products = mapped(&rows);
        let titles: Vec<_> = products.iter().map(|mapped| mapped.product.title.as_str()).collect();
        assert_eq!(titles, ["Kühlschrank weiß", "Crème brûlée", "Tee"], "{name}");
        assert_eq!(amounts(products[0]), [(129_900, None, "EUR".to_owned())], "{name}");
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 3, 5], "{name}");
        let is_told = rows[0].repairs.as_slice().iter().any(|repaired| repaired.repair == Repair::Encoding);
        assert_eq!(is_told, name == "Windows-1252", "{name}");
    }
}

#[tokio::test]
async fn short_rows_are_filled_and_surplus_columns_are_refused_unless_empty() {
    let rows = rows("plain", b"id,title,price\n1,Tea\n2,Pot,3,\n3,Cup,4,surplus\n", None).await;
    assert!(rows[0].mapped.is_ok() && rows[1].mapped.is_ok());
    assert!(rows[2].mapped.as_ref().is_err_and(|reason| reason.contains("4 columns")));
}

#[tokio::test]
async fn an_icecat_product_has_the_attributes_that_it_names() {
    let xml = "<ICECAT-interface><Product ID=\"31\" Name=\"DeskJet 9\" Title=\"HP DeskJet 9\" Prod_id=\"D9\" HighPic=\"https://x/d.jpg\">\
        <Category><Name Value=\"Printers\"/></Category><EANCode EAN=\"4006381333931\"/><Supplier Name=\"HP\"/>\
        <ProductFeature Presentation_Value=\"20 ppm\"><Feature><Name Value=\"Speed\"/></Feature></ProductFeature>\
        <ProductFeature Presentation_Value=\"A4\"><Feature><Name Value=\"Paper\"/></Feature></ProductFeature></Product></ICECAT-interface>";
    let rows = rows("icecat", xml.as_bytes(), None).await;
    let product = &mapped(&rows)[0].product;
    assert_eq!(
        (product.title.as_str(), product.brand.as_deref(), product.part_number.as_deref()),
        ("HP DeskJet 9", Some("HP"), Some("D9"))
    );
    assert_eq!(product.attributes.keys().collect::<Vec<_>>(), ["Paper", "Speed"]);
    assert_eq!(product.variants[0].eans, ["4006381333931"]);
}

#[test]
fn a_guess_knows_exports_and_proposes_for_others() {
    for (bytes, part) in [
        (SHOPIFY, "--mapping shopify"),
        (WOOCOMMERCE, "--mapping woocommerce"),
        (GOOGLE, "--mapping google-merchant"),
        (
            "Artikelnummer;Bezeichnung;Preis;Bestand;Warengruppe;Farbe\r\nA1;Löffel;\"3,50 EUR\";4;Küche > Besteck;blau\r\n",
            "A1 `Löffel`",
        ),
    ] {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(bytes.as_bytes()).expect("written");
        let guess = super::guess::guess(file.path(), None).expect("a proposal");
        assert!(
            guess.preview.contains(part) && !guess.preview.contains("no product"),
            "{}\n{}",
            guess.preview,
            guess.mapping
        );
        Mapping::parse("proposed", &guess.mapping).expect("a mapping");
    }
}

#[test]
fn a_guess_takes_the_currency_that_most_prices_name() {
    let mut file = tempfile::Builder::new().suffix(".csv").tempfile().expect("a file");
    let table = "id;title;price\n1;Kettle;1.299,00 €\n2;Pot;39,90\n3;Lid;3,50 EUR\n4;Cup;$4\n";
    file.write_all(table.as_bytes()).expect("written");
    let guess = super::guess::guess(file.path(), None).expect("a proposal");
    assert!(guess.mapping.contains("currency = \"EUR\""), "{}", guess.mapping);
}
