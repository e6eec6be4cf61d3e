//! Rows to standard output: a table on a terminal, values separated by tabs where piped, or JSON.

use std::io::Write;

use chrono::Datelike;
use serde::Serialize;

use super::CliError;
use super::logs::Opened;
use super::output::{Look, json_line};
use super::rows;
use super::table::{Column, Layout};
use crate::index::Row;
use crate::review::words::Context;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For a person.
    Table,
    /// For a program: values separated by tabs.
    Tabs,
    /// For a program: one object a line.
    Json,
}

impl Form {
    /// What was asked for, else by where the output goes.
    #[must_use]
    pub fn of(json: bool, look: &Look) -> Self {
        match (json, look.width) {
            (true, _) => Self::Json,
            (false, Some(_)) => Self::Table,
            (false, None) => Self::Tabs,
        }
    }
}

/// Writes rows; the first ones decide how wide the columns of a table are.
pub struct Printer<'a> {
    out: &'a mut dyn Write,
    form: Form,
    look: Look,
    columns: Vec<Column>,
    layout: Option<Layout>,
    year: i32,
    /// How many were written.
    pub written: u64,
}

#[derive(Serialize)]
struct WithContext<'a> {
    #[serde(flatten)]
    row: &'a Row,
    context: Option<&'a Context>,
}

impl<'a> Printer<'a> {
    /// To this output.
    #[must_use]
    pub fn new(out: &'a mut dyn Write, form: Form, look: Look) -> Self {
        let year = look.time(chrono::Utc::now().timestamp_micros()).year();
        Self { out, form, look, columns: rows::columns(), layout: None, year, written: 0 }
    }

    /// Writes these and hands them on to whoever reads.
    ///
    /// # Errors
    /// When the output or the index fails.
    pub fn rows(&mut self, opened: &Opened, rows: &[Row]) -> Result<(), CliError> {
        self.write(opened, rows, None)
    }

    /// Writes these with the place of what was looked for, which may not have been found again.
    ///
    /// # Errors
    /// When the output or the index fails.
    pub fn rows_with(&mut self, opened: &Opened, rows: &[Row], contexts: &[Option<Context>]) -> Result<(), CliError> {
        self.write(opened, rows, Some(contexts))
    }

    fn write(&mut self, opened: &Opened, rows: &[Row], contexts: Option<&[Option<Context>]>) -> Result<(), CliError> {
        let context = |at: usize| contexts.and_then(|contexts| contexts.get(at)).and_then(Option::as_ref);
        match self.form {
            Form::Json => {
                for (at, row) in rows.iter().enumerate() {
                    let line = if contexts.is_some() {
                        json_line(&WithContext { row, context: context(at) })
                    } else {
                        json_line(row)
                    };
                    writeln!(self.out, "{}", line.map_err(std::io::Error::from)?)?;
                }
            }
            Form::Tabs => {
                for (at, row) in rows.iter().enumerate() {
                    let place = contexts.map(|_| {
                        context(at).map_or_else(|| "\t-".to_owned(), |found| format!("\t{}", bracketed(found)))
                    });
                    writeln!(self.out, "{}{}", rows::tabbed(row), place.unwrap_or_default())?;
                }
            }
            Form::Table => self.table(opened, rows, &context)?,
        }
        self.written += rows.len() as u64;
        self.out.flush()?;
        Ok(())
    }

    fn table<'c>(
        &mut self,
        opened: &Opened,
        rows: &[Row],
        context: &dyn Fn(usize) -> Option<&'c Context>,
    ) -> Result<(), CliError> {
        let mut all = Vec::with_capacity(rows.len());
        for row in rows {
            all.push(rows::cells(row, &opened.short_id(row)?, self.year, &self.look));
        }
        let layout = match self.layout.take() {
            Some(layout) => layout,
            None => {
                let layout = Layout::of(&self.columns, &all, self.look.width);
                writeln!(self.out, "{}", layout.head(&self.columns, &self.look))?;
                layout
            }
        };
        for (at, cells) in all.iter().enumerate() {
            writeln!(self.out, "{}", layout.line(&self.columns, cells, &self.look))?;
            if let Some(found) = context(at) {
                writeln!(self.out, "    {}", self.marked(found))?;
            }
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Bold where there are colours, else in brackets.
    fn marked(&self, found: &Context) -> String {
        if self.look.colour {
            format!("{}{}{}", found.before, self.look.tinted("1;31", &found.hit), found.after)
        } else {
            bracketed(found)
        }
    }
}

fn bracketed(found: &Context) -> String {
    format!("{}[{}]{}", found.before, found.hit, found.after)
}
