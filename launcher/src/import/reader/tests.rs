use super::*;
use proptest::prelude::*;
use serde_json::json;
use std::io::Write;

fn file(bytes: &[u8]) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(bytes).expect("written");
    file
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("written");
    encoder.finish().expect("finished")
}

fn read(bytes: &[u8]) -> (Format, Vec<Record>) {
    let file = file(bytes);
    let records = Records::open(file.path()).expect("opened");
    (records.format, records.map(|record| record.expect("read")).collect())
}

fn ids(records: &[Record]) -> Vec<(u64, String)> {
    let id = |record: &Record| match &record.fields {
        Ok(fields) => fields["id"].to_string().replace('"', ""),
        Err(reason) => reason.clone(),
    };
    records.iter().map(|record| (record.line, id(record))).collect()
}

fn pairs(list: &[(u64, &str)]) -> Vec<(u64, String)> {
    list.iter().map(|(line, id)| (*line, (*id).to_owned())).collect()
}

#[test]
fn ndjson_is_read_line_by_line_and_keeps_line_numbers() {
    let (format, records) = read(b"{\"id\":1}\n\n{\"id\":2}\r\nnonsense\n[1]\n{\"id\":3}");
    assert_eq!(format, Format::Ndjson);
    assert_eq!(records.iter().map(|record| record.line).collect::<Vec<_>>(), [1, 3, 4, 5, 6]);
    assert!(records[2].fields.as_ref().is_err_and(|reason| reason.contains("not JSON")));
    assert!(records[3].fields.as_ref().is_err_and(|reason| reason.contains("not an object")));
    assert_eq!(records[4].original, "{\"id\":3}");
}

#[test]
fn a_json_array_is_taken_apart_whatever_stands_in_its_strings() {
    let (format, records) = read(b" [ {\"id\":\"a,]}\\\"\"},\n {\"id\":2,\"x\":[1,{\"y\":[]}]} ,\n\n{\"id\":3}\n]\n");
    assert_eq!(format, Format::JsonArray);
    let first = records[0].fields.as_ref().expect("fields");
    assert_eq!(first["id"], json!("a,]}\""));
    assert_eq!(ids(&records[1..]), pairs(&[(2, "2"), (4, "3")]));
}

#[test]
fn a_json_array_that_ends_early_says_so() {
    let (_, records) = read(b"[{\"id\":1},{\"id\":2}");
    assert_eq!(ids(&records[..1]), pairs(&[(1, "1")]));
    assert!(records[1].fields.as_ref().is_err_and(|reason| reason.contains("ends early")));
    assert_eq!(read(b"[]").1, []);
}

#[test]
fn csv_is_read_with_the_delimiter_its_first_line_has_most() {
    for (delimiter, text) in [(',', "id,name\n1,\"a, b\"\n2,c\n"), (';', "id;name\n1;a, b\n2;c\n")] {
        let (format, records) = read(text.as_bytes());
        assert_eq!(format, Format::Csv);
        assert_eq!(ids(&records), pairs(&[(2, "1"), (3, "2")]), "{delimiter}");
        assert_eq!(records[0].fields.as_ref().expect("fields")["name"], json!("a, b"));
    }
}

#[test]
fn a_csv_row_of_another_length_is_rejected_and_the_rest_is_read() {
    let (_, records) = read(b"id,name\n1,a,surplus\n2,b\n");
    assert!(records[0].fields.as_ref().is_err_and(|reason| reason.contains("3 columns")));
    assert_eq!(records[0].original, "1,a,surplus");
    assert_eq!(ids(&records[1..]), pairs(&[(3, "2")]));
}

#[test]
fn gzip_is_recognised_by_content_also_in_several_members() {
    let mut bytes = gzip(b"{\"id\":1}\n");
    bytes.extend(gzip(b"{\"id\":2}\n"));
    let (format, records) = read(&bytes);
    assert_eq!(format, Format::Ndjson);
    assert_eq!(ids(&records), pairs(&[(1, "1"), (2, "2")]));
    assert_eq!(read(&gzip(b"[{\"id\":1}]")).0, Format::JsonArray);
    assert_eq!(read(&gzip(b"id,name\n1,a\n")).0, Format::Csv);
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_data() {
    assert_eq!(ids(&read(b"\xef\xbb\xbf{\"id\":1}").1), pairs(&[(1, "1")]));
    assert_eq!(ids(&read(b"\xef\xbb\xbfid,name\n1,a\n").1), pairs(&[(2, "1")]));
}

#[test]
fn a_line_that_is_not_json_or_too_long_is_rejected_alone() {
    let mut bytes = b"{\"id\":1}\n\xff\xfe\n{\"id\":\"".to_vec();
    bytes.extend(std::iter::repeat_n(b'x', MAX_RECORD_BYTES + 10));
    bytes.extend_from_slice(b"\"}\n{\"id\":4}\n");
    let (_, records) = read(&bytes);
    assert!(records[1].fields.as_ref().is_err_and(|reason| reason.contains("not JSON")));
    assert!(records[2].fields.as_ref().is_err_and(|reason| reason.contains("longer")));
    assert_eq!(ids(&records[3..]), pairs(&[(4, "4")]));
}

#[test]
fn an_empty_or_missing_file_is_named() {
    let empty = file(b" \n ");
    let error = Records::open(empty.path()).err().expect("refused").to_string();
    assert!(error.contains("empty"), "{error}");
    let error = Records::open(Path::new("/nowhere.ndjson")).err().expect("refused").to_string();
    assert!(error.contains("/nowhere.ndjson can't be read"), "{error}");
}

/// Bytes as files of products have them, and others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let text = "(\u{feff})?([\\[{<\"',;\t]|id|title|<rss>|<item>|</item>|<!\\[CDATA\\[|\\]\\]>|&amp;|&#x|:|1e999|\r?\n|\\\\u|\\PC){0,40}";
    let text = text.prop_map(String::into_bytes);
    prop_oneof![3 => text.clone(), 1 => text.prop_map(|text| gzip(&text)), 1 => any::<Vec<u8>>()]
}

proptest! {
    #[test]
    fn any_file_is_read_or_refused(bytes in bytes(), cut in 0_usize..64) {
        // Also one that ends too soon.
        let file = file(&bytes[..bytes.len().saturating_sub(cut)]);
        if let Ok(records) = Records::open(file.path()) {
            // An import ends at the first error of the file itself.
            prop_assert!(records.take(1_000).take_while(Result::is_ok).count() < 1_000, "it does not end");
        }
    }
}
