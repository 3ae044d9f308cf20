// SPDX-License-Identifier: GPL-2.0

//! The figures as drawings.

use crate::figures::Figures;
use anyhow::{anyhow, Result};
use plotters::prelude::*;
use std::{fmt::Display, path::Path};

const SIZE: (u32, u32) = (800, 480);
const FONT: (&str, u32) = ("sans-serif", 14);
const COLOURS: [RGBColor; 5] = [
    RGBColor(0x1b, 0x6c, 0xa8),
    RGBColor(0xc0, 0x5a, 0x1e),
    RGBColor(0x3a, 0x8c, 0x4a),
    RGBColor(0x7a, 0x4a, 0xa0),
    RGBColor(0x70, 0x70, 0x70),
];

/// A curve over sizes.
struct Curve<'a> {
    label: &'a str,
    row: &'a str,
    variant: &'a str,
    /// What is taken off: nothing, or another row at the same size.
    base: Option<&'a str>,
}

const fn curve<'a>(
    label: &'a str,
    row: &'a str,
    variant: &'a str,
    base: Option<&'a str>,
) -> Curve<'a> {
    Curve {
        label,
        row,
        variant,
        base,
    }
}

/// Curves in one drawing, over a logarithmic axis.
struct Drawing<'a> {
    name: &'a str,
    caption: &'a str,
    /// Where a size lies on the axis.
    place: fn(u64) -> f64,
    curves: &'a [Curve<'a>],
}

const DRAWINGS: &[Drawing<'_>] = &[
    Drawing {
        name: "members",
        caption: "Instructions, by the number of members",
        place: |n| n as f64,
        curves: &[
            curve(
                "vfork of a member, more than bare",
                "vfork",
                "track",
                Some("bare"),
            ),
            curve(
                "vfork in a pid namespace, more than bare",
                "vfork",
                "pidns1",
                Some("bare"),
            ),
            curve("LOOKUP", "lookup_in_space", "track", None),
            curve("KILL of a member", "kill_member", "track", None),
            curve("MEMBERS, per number", "list_members", "track", None),
        ],
    },
    Drawing {
        name: "spaces",
        caption: "Instructions, by the number of spaces",
        place: |n| n as f64,
        curves: &[
            curve("make and end a space", "create_destroy", "spaces", None),
            curve("open by name", "open_by_name", "spaces", None),
            curve("LIST, per space", "list_spaces", "spaces", None),
        ],
    },
    Drawing {
        name: "range",
        caption: "Instructions to get a number, by how many of 1000 are free",
        place: |n| 1000.0 - n as f64,
        curves: &[
            curve("the map of a space", "alloc", "pidmap", None),
            curve("the kernel's IDR", "alloc", "idr", None),
        ],
    },
    Drawing {
        name: "storm",
        caption: "Instructions of a fork more than on the bare kernel, by the number of CPUs",
        place: |n| n as f64,
        curves: &[
            curve("in pid namespaces", "storm", "pidns1", Some("bare")),
            curve("in no space", "storm", "loaded", Some("bare")),
            curve("in spaces of their own", "storm", "track", Some("bare")),
            curve("in one space", "storm", "one_space", Some("bare")),
        ],
    },
];

/// Draws what there are figures for, into files of `directory`.
pub(crate) fn draw(figures: &Figures, directory: &Path) -> Result<()> {
    let file = |name: &str| directory.join(format!("{}-{name}.svg", figures.arch));
    overhead(figures, &file("overhead")).map_err(failed)?;
    for drawing in DRAWINGS {
        curves(figures, &file(drawing.name), drawing).map_err(failed)?;
    }
    Ok(())
}

fn failed(error: impl Display) -> anyhow::Error {
    anyhow!("a plot cannot be drawn: {error}")
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Where a drawing goes, with its licence first.
fn write(file: &Path, text: &str) -> Drawn {
    let text = format!("<!-- SPDX-License-Identifier: GPL-2.0 -->\n{text}");
    Ok(std::fs::write(file, text)?)
}

/// Bars: what a fork costs more than on the bare kernel.
fn overhead(figures: &Figures, file: &Path) -> Drawn {
    let variants = [
        "loaded",
        "outsider",
        "track",
        "scope_armed",
        "scope",
        "pidns1",
        "pidns2",
        "cgroup",
    ];
    let bars: Vec<_> = variants
        .iter()
        .filter_map(|variant| {
            Some((
                *variant,
                figures.more_than_bare("vfork", variant)?,
                figures.more_than_bare("vfork_steady", variant)?,
            ))
        })
        .collect();
    if bars.is_empty() {
        return Ok(());
    }
    let highest = bars.iter().map(|bar| bar.1.max(bar.2)).fold(1.0, f64::max);
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption("Instructions that a fork costs more", FONT)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..bars.len() as f64, highest.min(0.0)..highest * 1.1)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .label_style(FONT)
        .draw()?;
    for (series, label) in ["undisturbed", "without rests"].iter().enumerate() {
        let colour = COLOURS[series];
        let bar = |(at, bar): (usize, &(&str, f64, f64))| {
            let left = at as f64 + 0.1 + 0.4 * series as f64;
            let height = if series == 0 { bar.1 } else { bar.2 };
            Rectangle::new([(left, 0.0), (left + 0.4, height)], colour.filled())
        };
        chart
            .draw_series(bars.iter().enumerate().map(bar))?
            .label(*label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 12, y + 5)], colour.filled()));
    }
    let name = |(at, bar): (usize, &(&str, f64, f64))| {
        Text::new(bar.0.to_owned(), (at as f64 + 0.1, -highest * 0.03), FONT)
    };
    chart.draw_series(bars.iter().enumerate().map(name))?;
    chart
        .configure_series_labels()
        .label_font(FONT)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    write(file, &text)
}

/// Curves over a logarithmic axis of sizes.
fn curves(figures: &Figures, file: &Path, drawing: &Drawing<'_>) -> Drawn {
    let points = |curve: &Curve<'_>| -> Vec<(f64, f64)> {
        let point = |n: u64| {
            let value = figures.get(curve.row, curve.variant, Some(n))?;
            let base = match curve.base {
                Some(variant) => figures.get(curve.row, variant, Some(n))?,
                None => 0.0,
            };
            Some(((drawing.place)(n), value - base))
        };
        figures
            .sizes(curve.row, curve.variant)
            .into_iter()
            .filter_map(point)
            .collect()
    };
    let drawn: Vec<_> = drawing
        .curves
        .iter()
        .map(|curve| (curve.label, points(curve)))
        .filter(|(_, points)| points.len() > 1)
        .collect();
    if drawn.is_empty() {
        return Ok(());
    }
    let all = || drawn.iter().flat_map(|(_, points)| points);
    let highest = all().map(|point| point.1).fold(1.0, f64::max);
    let widest = all().map(|point| point.0).fold(1.0, f64::max);
    let mut text = String::new();
    let root = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(drawing.caption, FONT)
        .margin(12)
        .x_label_area_size(32)
        .y_label_area_size(64)
        .build_cartesian_2d((1.0..widest * 1.1).log_scale(), 0.0..highest * 1.1)?;
    chart.configure_mesh().label_style(FONT).draw()?;
    for (at, (label, points)) in drawn.iter().enumerate() {
        let colour = COLOURS[at % COLOURS.len()];
        chart
            .draw_series(LineSeries::new(
                points.iter().copied(),
                colour.stroke_width(2),
            ))?
            .label(*label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .label_font(FONT)
        .border_style(BLACK)
        .background_style(WHITE)
        .draw()?;
    root.present()?;
    drop(chart);
    drop(root);
    write(file, &text)
}
