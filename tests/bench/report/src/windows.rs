// SPDX-License-Identifier: GPL-2.0

//! What the guest tells of windows that somebody else counts in: what they are, and its symbols.

use anyhow::{bail, Context, Result};
use std::collections::BTreeMap;

/// What was counted together: calls of an operation, somewhere.
pub(crate) struct Window {
    pub(crate) row: String,
    pub(crate) variant: String,
    pub(crate) calls: f64,
}

/// What the guest printed.
pub(crate) struct Output {
    pub(crate) release: String,
    pub(crate) windows: Vec<Window>,
    pub(crate) symbols: Symbols,
}

/// The functions of the kernel and the module, by address.
pub(crate) struct Symbols(BTreeMap<u64, String>);

impl Symbols {
    pub(crate) fn name(&self, address: u64) -> String {
        // The lower half is user space.
        if address >> 63 == 0 {
            return "user space".to_owned();
        }
        let below = self.0.range(..=address).next_back();
        below.map_or("unknown".to_owned(), |(_, name)| name.clone())
    }
}

/// Without the hash of the crate, and with the module that it is in.
fn readable(symbol: &str, module: Option<&str>) -> String {
    let name = format!("{:#}", rustc_demangle::demangle(symbol));
    let name = name.replace("pidspace_main::", "");
    match module {
        Some(module) => format!("{name} {module}"),
        None => name,
    }
}

/// Reads what the guest printed.
pub(crate) fn parse(text: &str) -> Result<Output> {
    let mut release = String::new();
    let mut windows = Vec::new();
    let mut symbols = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        match fields[..] {
            ["release", name] => release = name.to_owned(),
            ["window", row, variant, calls] => windows.push(Window {
                row: row.to_owned(),
                variant: variant.to_owned(),
                calls: calls.parse().with_context(|| line.to_owned())?,
            }),
            [address, "t" | "T" | "w" | "W", symbol, ref module @ ..] => {
                let address = u64::from_str_radix(address, 16).with_context(|| line.to_owned())?;
                symbols.insert(address, readable(symbol, module.first().copied()));
            }
            _ => (),
        }
    }
    if windows.is_empty() || symbols.is_empty() {
        bail!("the guest printed no windows, or no symbols");
    }
    Ok(Output {
        release,
        windows,
        symbols: Symbols(symbols),
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn an_output_without_symbols_is_an_error() {
        assert!(parse("window vfork bare 2\n").is_err());
    }
}
