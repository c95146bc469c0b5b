//! Types as they are written: `duration`, `rate<count>`, `list<string>`, `secret<string>`.

use crate::analyze::context::Cx;
use crate::analyze::messages::structure;
use crate::syntax::ast::TypeExpr;
use crate::units::Dim;
use crate::values::Type;

/// Types without arguments, in the order in which the reference lists them.
pub const SIMPLE: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Quantity(Dim::Count)),
    ("count", Type::Quantity(Dim::Count)),
    ("string", Type::String),
    ("version", Type::Version),
    ("instant", Type::Instant),
    ("interval", Type::Interval),
    ("url", Type::Url),
    ("regex", Type::Regex),
    ("duration", Type::Quantity(Dim::Duration)),
    ("ratio", Type::Quantity(Dim::Ratio)),
    ("change", Type::Quantity(Dim::Change)),
    ("bytes", Type::Quantity(Dim::Bytes)),
    ("cores", Type::Quantity(Dim::Cores)),
    ("verdict", Type::Verdict),
    ("json", Type::Json),
];

/// What is wrong with a type is reported, once, where it is declared.
pub fn read(cx: &mut Cx<'_, '_>, written: &TypeExpr) -> Type {
    match resolve(written) {
        Ok(ty) => ty,
        Err(wrong) => {
            let known: Vec<&str> = SIMPLE.iter().map(|(name, _)| *name).collect();
            cx.report(structure::unknown_type(wrong, &known));
            Type::Unknown
        }
    }
}

/// As [`read`], where the declaration has reported it already.
pub fn read_quietly(written: &TypeExpr) -> Type {
    resolve(written).unwrap_or(Type::Unknown)
}

/// The part that cannot be read, otherwise.
fn resolve(written: &TypeExpr) -> Result<Type, &TypeExpr> {
    let name = written.name.as_str();
    match (name, written.args.as_slice()) {
        (_, []) => {
            let known = SIMPLE.iter().find(|(known, _)| *known == name);
            known.map(|(_, ty)| ty.clone()).ok_or(written)
        }
        ("rate", [of]) => match resolve(of)? {
            Type::Quantity(dim) => dim.per_second().map(Type::Quantity).ok_or(of),
            _ => Err(of),
        },
        ("list", [of]) => Ok(Type::list(resolve(of)?)),
        ("map", [of]) => Ok(Type::Map(resolve(of)?.into())),
        ("secret", [of]) => match resolve(of)? {
            Type::String => Ok(Type::Secret),
            _ => Err(of),
        },
        _ => Err(written),
    }
}
