//! Samples of a metric that stand side by side: `canary.p95 = `80+5x10 _ stale` in ms every 1m`.

use crate::plan::Metric;
use crate::simulate::compile::place::raw;
use crate::simulate::compile::{Compiler, messages, value};
use crate::simulate::series::Series;
use crate::syntax::ast::scenario::Assign;
use crate::syntax::ast::{Expr, ExprKind, Ident};
use crate::units::{Dim, literal};

impl Compiler<'_> {
    /// `None`: it is no series. `Some(None)`: it is a wrong one.
    pub fn series(&mut self, metric: &Metric, assign: &Assign) -> Option<Option<Series>> {
        let (notation, unit) = notation(&assign.value)?;
        Some(self.samples(metric, assign, &notation, unit))
    }

    fn samples(
        &mut self,
        metric: &Metric,
        assign: &Assign,
        notation: &str,
        unit: Option<&Ident>,
    ) -> Option<Series> {
        let span = assign.value.span;
        let step_ns = match &assign.every {
            Some(every) => self.duration(every)?,
            None => self.plan.sample_ns,
        };
        let base = match unit {
            Some(unit) => self.one_of(metric, unit)?,
            None if metric.dim == Dim::Count => 1.0,
            None => {
                let dim = metric.dim.to_string();
                self.say(messages::series_without_unit(&metric.name, &dim, span));
                return None;
            }
        };
        match Series::parse(notation, step_ns, raw(metric, base)) {
            Ok(series) => Some(series),
            Err(problem) => {
                self.say(messages::no_series(&problem, span));
                None
            }
        }
    }

    /// What one of this unit is in the base unit of the metric.
    fn one_of(&mut self, metric: &Metric, unit: &Ident) -> Option<f64> {
        let plain = ["1"].contains(&unit.name.as_str());
        if plain && [Dim::Count, Dim::Ratio].contains(&metric.dim) {
            return Some(1.0);
        }
        let name = unit.name.strip_prefix('1').unwrap_or(&unit.name);
        let one = literal::parse("1", Some(name)).ok();
        let Some(one) = one.filter(|one| one.quantity.dim == metric.dim) else {
            let (wanted, found) = (metric.dim.to_string(), format!("number in `{}`", unit.name));
            self.say(messages::wrong_type(
                &metric.name,
                &wanted,
                &found,
                unit.span,
            ));
            return None;
        };
        Some(one.quantity.amount.as_f64())
    }
}

fn notation(value: &Expr) -> Option<(String, Option<&Ident>)> {
    match &value.kind {
        ExprKind::Raw(text) => Some((text.clone(), None)),
        ExprKind::String(text) => Some((value::plain_text(text)?, None)),
        ExprKind::In(inner, unit) => Some((notation(inner)?.0, Some(unit))),
        ExprKind::Paren(inner) => notation(inner),
        _ => None,
    }
}
