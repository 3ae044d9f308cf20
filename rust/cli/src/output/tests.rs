// SPDX-License-Identifier: GPL-2.0

use serde_json::json;

use super::*;

struct Fruit(&'static str, Option<u64>);

impl Row for Fruit {
    const KEY: &'static str = "fruits";
    const COLUMNS: &'static [Column<Self>] = &[
        Column::text("NAME", "its name", |fruit| Some(fruit.0.to_owned())),
        Column::number("SHELF-NR", "its shelf", |fruit| fruit.1),
        Column::seconds("AGE", "its age", |fruit: &Self| fruit.1).on_request(),
    ];
}

fn listing(json: bool, output: &[&str], noheadings: bool) -> Listing<Fruit> {
    Listing {
        json,
        output: output.iter().map(ToString::to_string).collect(),
        noheadings,
        rows: PhantomData,
    }
}

fn print(listing: &Listing<Fruit>) -> String {
    let mut out = Vec::new();
    let rows = [Fruit("plum", Some(90_061)), Fruit("a\x1b\n", None)];
    listing.print(&rows, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn text_is_aligned_and_printable() {
    assert_eq!(
        print(&listing(false, &[], false)),
        "NAME      SHELF-NR\nplum         90061\na\\u{1b}\\n        -\n"
    );
    assert_eq!(
        print(&listing(false, &["age", "NAME"], true)),
        "01-01:01:01 plum\n          - a\\u{1b}\\n\n"
    );
}

#[test]
fn json_has_types_and_the_order_of_the_columns() {
    let text = print(&listing(true, &[], false));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let plum = json!({ "name": "plum", "shelf_nr": 90_061 });
    let other = json!({ "name": "a\u{1b}\n", "shelf_nr": null });
    assert_eq!(value, json!({ "fruits": [plum, other] }));
    assert!(text.find("name") < text.find("shelf_nr"));
}

#[test]
fn nothing_is_an_empty_table() {
    let mut out = Vec::new();
    listing(false, &[], true).print(&[], &mut out).unwrap();
    assert_eq!(out, b"");
    listing(false, &[], false).print(&[], &mut out).unwrap();
    assert_eq!(out, b"NAME SHELF-NR\n");
}

#[test]
fn one_row_is_printed_downwards_and_whole() {
    let mut out = Vec::new();
    let plum = Fruit("plum", Some(59));
    listing(false, &[], false)
        .print_one(&plum, &mut out)
        .unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, "NAME     plum\nSHELF-NR 59\nAGE      00:00:59\n");
}

#[test]
fn what_cannot_be_written_is_an_error() {
    let mut full: &mut [u8] = &mut [0; 4];
    let row = [Fruit("plum", None)];
    assert!(listing(false, &[], false).print(&row, &mut full).is_err());
    assert!(listing(true, &[], false).print(&row, &mut full).is_err());
}

#[derive(Serialize)]
struct Basket {
    name: &'static str,
}

impl fmt::Display for Basket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.name)
    }
}

#[test]
fn a_title_goes_with_the_headings() {
    let print = |listing: &Listing<Fruit>| {
        let (mut out, basket) = (Vec::new(), Basket { name: "basket" });
        let rows = [Fruit("plum", None)];
        listing.print_titled(&basket, &rows, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let text = print(&listing(false, &[], false));
    assert_eq!(text, "basket:\nNAME SHELF-NR\nplum        -\n");
    assert_eq!(print(&listing(false, &[], true)), "plum -\n");
    let text = print(&listing(false, &["name"], false));
    assert_eq!(text, "NAME\nplum\n");
    let text = print(&listing(true, &["name"], true));
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let expected = json!({ "name": "basket", "fruits": [{ "name": "plum" }] });
    assert_eq!(value, expected);
}

struct Tree(bool);

impl Row for Tree {
    const KEY: &'static str = "trees";
    const COLUMNS: &'static [Column<Self>] =
        &[Column::flag("GREEN", "whether it is green", |tree| tree.0)];
}

#[test]
fn others_stand_below_unless_columns_are_chosen() {
    let print = |listing: &Listing<Fruit>, trees: &[Tree]| {
        let (mut out, rows) = (Vec::new(), [Fruit("plum", None)]);
        listing.print_both(&rows, trees, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let trees = [Tree(true), Tree(false)];
    let text = print(&listing(false, &[], false), &trees);
    assert_eq!(text, "NAME SHELF-NR\nplum        -\n\nGREEN\nyes\nno\n");
    let text = print(&listing(false, &[], true), &[]);
    assert_eq!(text, "plum -\n");
    assert_eq!(print(&listing(false, &["name"], true), &trees), "plum\n");
    let text = print(&listing(true, &[], false), &trees);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let trees = json!([{ "green": true }, { "green": false }]);
    assert_eq!(value["trees"], trees);
    assert_eq!(value["fruits"][0]["name"], "plum");
}
