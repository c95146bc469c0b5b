//! Finds what may be changed in a file: the mutants, and the places where they will be switched.

use std::fmt;
use std::ops::Range;

use proc_macro2::{LineColumn, Span};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Arm, Attribute, BinOp, Block, Expr, ExprBinary, ExprConst, ExprMatch, ExprUnary, ImplItemConst,
    ImplItemFn, ItemConst, ItemFn, ItemImpl, ItemMod, ItemStatic, ItemTrait, Pat, Signature,
    TraitItemFn, Type, UnOp,
};

use crate::changes::{compact, operators, values};
use crate::modules::is_for_tests;

/// One change of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub change: String,
}

impl fmt::Display for Mutant {
    /// The name of the mutant, as cargo-mutants has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mutant {
            file,
            line,
            column,
            change,
        } = self;
        write!(f, "{file}:{line}:{column}: {change}")
    }
}

/// A part of a text with its other forms. Places stand in one another, never across.
#[derive(Debug)]
pub struct Place {
    pub span: Range<usize>,
    pub shape: Shape,
    pub choices: Vec<Choice>,
}

#[derive(Debug)]
pub enum Shape {
    /// `left + right`; a choice is another operator.
    Operator {
        left: Range<usize>,
        right: Range<usize>,
    },
    /// `!operand`; the choice is none.
    Prefix { operand: Range<usize> },
    /// `if guard`; a choice is what it always comes to.
    Guard,
    /// Right after the pattern of an arm; the choice is that the arm is not there.
    Arm,
    /// Right after the `{` of a function; a choice is what it returns at once.
    Body,
}

#[derive(Debug)]
pub struct Choice {
    /// The place in [`Found::mutants`].
    pub mutant: usize,
    pub text: &'static str,
}

#[derive(Debug, Default)]
pub struct Found {
    pub mutants: Vec<Mutant>,
    /// By where they begin, those around others before these.
    pub places: Vec<Place>,
}

/// `code` is what `text` was parsed to.
pub fn find(file: &str, text: &str, code: &syn::File) -> Found {
    let mut finder = Finder {
        file,
        text,
        found: Found::default(),
        names: Vec::new(),
        functions: 0,
    };
    finder.visit_file(code);
    let mut found = finder.found;
    found.places.sort_by_key(|place| {
        let span = &place.span;
        (span.start, !span.is_empty(), std::cmp::Reverse(span.end))
    });
    found
}

struct Finder<'a> {
    file: &'a str,
    text: &'a str,
    found: Found,
    /// Modules, types and functions around, as the names of mutants have them.
    names: Vec<String>,
    /// How many functions are around: outside of them nothing is changed.
    functions: usize,
}

impl Finder<'_> {
    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.names.push(name);
        visit(self);
        self.names.pop();
    }

    fn function(&mut self, attributes: &[Attribute], signature: &Signature, block: &Block) {
        if is_left_out(attributes) || signature.constness.is_some() || signature.ident == "new" {
            return;
        }
        self.within(signature.ident.to_string(), |finder| {
            finder.body(signature, block);
            finder.functions += 1;
            visit::visit_block(finder, block);
            finder.functions -= 1;
        });
    }

    fn body(&mut self, signature: &Signature, block: &Block) {
        let Some(first) = block.stmts.first() else {
            return;
        };
        let after = block.brace_token.span.open().byte_range().end;
        let returned = compact(signature.output.to_token_stream());
        let gap = if returned.is_empty() { "" } else { " " };
        let name = self.names.join("::");
        let choices = values(&signature.output).iter().map(|value| {
            let change = format!("replace {name}{gap}{returned} with {value}");
            (*value, change)
        });
        let choices = choices.collect();
        self.place(first.span(), after..after, Shape::Body, choices);
    }

    /// The choices are of what stands at `at`.
    fn place(
        &mut self,
        at: Span,
        span: Range<usize>,
        shape: Shape,
        changes: Vec<(&'static str, String)>,
    ) {
        let LineColumn { line, column } = at.start();
        let mut choices = Vec::new();
        for (text, change) in changes {
            choices.push(Choice {
                mutant: self.found.mutants.len(),
                text,
            });
            self.found.mutants.push(Mutant {
                file: self.file.to_owned(),
                line,
                column: column + 1,
                change,
            });
        }
        if !choices.is_empty() {
            self.found.places.push(Place {
                span,
                shape,
                choices,
            });
        }
    }

    fn here(&self) -> String {
        self.names.join("::")
    }

    fn said(&self, span: Range<usize>) -> String {
        let text = self.text.get(span).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn arm(&mut self, arm: &Arm, has_rest: bool) {
        let here = self.here();
        match &arm.guard {
            Some((_, guard)) if !has_let(guard) => {
                let span = guard.span().byte_range();
                let said = self.said(span.clone());
                let changes = ["true", "false"].map(|value| {
                    let change = format!("replace match guard {said} with {value} in {here}");
                    (value, change)
                });
                self.place(guard.span(), span, Shape::Guard, changes.into());
            }
            None if has_rest && !matches!(arm.pat, Pat::Wild(_)) => {
                let pattern = compact(arm.pat.to_token_stream());
                let change = format!("delete match arm {pattern} in {here}");
                let end = arm.pat.span().byte_range().end;
                self.place(arm.pat.span(), end..end, Shape::Arm, vec![("", change)]);
            }
            _ => {}
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if !is_left_out(&module.attrs) {
            self.within(module.ident.to_string(), |finder| {
                visit::visit_item_mod(finder, module);
            });
        }
    }

    fn visit_item_impl(&mut self, block: &'ast ItemImpl) {
        if is_left_out(&block.attrs) {
            return;
        }
        let of = compact(block.self_ty.to_token_stream());
        let Some((_, of_trait, _)) = &block.trait_ else {
            return self.within(of, |finder| visit::visit_item_impl(finder, block));
        };
        let last = of_trait.segments.last();
        if last.is_some_and(|name| name.ident == "Default" || name.ident == "Debug") {
            return;
        }
        let of_trait = compact(of_trait.to_token_stream());
        self.within(format!("<impl {of_trait} for {of}>"), |finder| {
            visit::visit_item_impl(finder, block);
        });
    }

    fn visit_item_trait(&mut self, block: &'ast ItemTrait) {
        if !is_left_out(&block.attrs) {
            self.within(block.ident.to_string(), |finder| {
                visit::visit_item_trait(finder, block);
            });
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.function(&function.attrs, &function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.function(&function.attrs, &function.sig, block);
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast ExprBinary) {
        let (left, right) = (binary.left.span(), binary.right.span());
        let is_chain = matches!(binary.op, BinOp::And(_) | BinOp::Or(_))
            && (has_let(&binary.left) || has_let(&binary.right));
        if self.functions > 0 && !is_chain {
            let (at, here) = (binary.op.span(), self.here());
            let said = self.said(at.byte_range());
            let changes = operators(&binary.op).iter().map(|other| {
                let change = format!("replace {said} with {other} in {here}");
                (*other, change)
            });
            let changes = changes.collect();
            let (left, right) = (left.byte_range(), right.byte_range());
            let span = left.start..right.end;
            self.place(at, span, Shape::Operator { left, right }, changes);
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'ast ExprUnary) {
        if self.functions > 0 && matches!(unary.op, UnOp::Not(_) | UnOp::Neg(_)) {
            let (at, here) = (unary.op.span(), self.here());
            let change = format!("delete {} in {here}", self.said(at.byte_range()));
            let operand = unary.expr.span().byte_range();
            let span = at.byte_range().start..operand.end;
            self.place(at, span, Shape::Prefix { operand }, vec![("", change)]);
        }
        visit::visit_expr_unary(self, unary);
    }

    fn visit_expr_match(&mut self, choice: &'ast ExprMatch) {
        if self.functions > 0 {
            let has_rest = choice
                .arms
                .iter()
                .any(|arm| matches!(arm.pat, Pat::Wild(_)) && arm.guard.is_none());
            for arm in &choice.arms {
                self.arm(arm, has_rest);
            }
        }
        visit::visit_expr_match(self, choice);
    }

    // What is known before the program runs cannot ask which mutant is alive.
    fn visit_item_const(&mut self, _: &'ast ItemConst) {}
    fn visit_item_static(&mut self, _: &'ast ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'ast ImplItemConst) {}
    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_pat(&mut self, _: &'ast Pat) {}
}

/// What is for tests, and what says `#[mutants::skip]`.
fn is_left_out(attributes: &[Attribute]) -> bool {
    let is_skipped = attributes
        .iter()
        .any(|attribute| compact(attribute.path().to_token_stream()) == "mutants::skip");
    is_skipped || is_for_tests(attributes)
}

fn has_let(condition: &Expr) -> bool {
    match condition {
        Expr::Let(_) => true,
        Expr::Binary(binary) => has_let(&binary.left) || has_let(&binary.right),
        Expr::Paren(inner) => has_let(&inner.expr),
        _ => false,
    }
}
