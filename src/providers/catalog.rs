//! Every kind of provider that there is.

use crate::providers::{ProviderKind, http, kubernetes, prometheus, shell, slack, webhook};
use std::sync::LazyLock;

static KINDS: LazyLock<Vec<ProviderKind>> = LazyLock::new(|| {
    vec![
        http::kind(),
        kubernetes::kind(),
        prometheus::kind(),
        shell::kind(),
        slack::kind(),
        webhook::kind(),
    ]
});

/// In the order of their names.
pub fn all() -> &'static [ProviderKind] {
    &KINDS
}

pub fn find(kind: &str) -> Option<&'static ProviderKind> {
    all().iter().find(|known| known.name == kind)
}

#[cfg(test)]
mod tests {
    use crate::providers::{Effect, Need, Rest, catalog};

    #[test]
    fn kinds_stand_in_the_order_of_their_names() {
        let names: Vec<&str> = catalog::all().iter().map(|kind| kind.name).collect();
        assert!(names.is_sorted(), "{names:?}");
    }

    #[test]
    fn no_name_stands_twice() {
        for kind in catalog::all() {
            let functions = kind.functions.iter().map(|function| function.name);
            assert_unique(kind.name, functions);
            assert_unique(kind.name, kind.settings.iter().map(|setting| setting.name));
            for function in &kind.functions {
                let params = function.params.iter().map(|param| param.name);
                assert_unique(function.name, params);
            }
        }
    }

    #[test]
    fn required_parameters_come_first_and_a_variadic_one_last_of_the_positional() {
        for kind in catalog::all() {
            for function in &kind.functions {
                let needs: Vec<bool> = function
                    .params
                    .iter()
                    .map(|param| param.need == Need::Optional)
                    .collect();
                assert!(needs.is_sorted(), "{}.{}", kind.name, function.name);
                let many = function.params.iter().filter(|p| p.rest == Rest::Many);
                assert!(many.count() <= 1, "{}.{}", kind.name, function.name);
            }
        }
    }

    #[test]
    fn each_kind_tells_in_at_most_one_way() {
        for kind in catalog::all() {
            let tells = kind.functions.iter().filter(|f| f.effect == Effect::Tell);
            assert!(tells.count() <= 1, "{}", kind.name);
        }
    }

    #[test]
    fn everything_is_documented() {
        for kind in catalog::all() {
            assert!(!kind.doc.is_empty());
            assert!(kind.timeout_ns > 0, "{}", kind.name);
            for function in &kind.functions {
                assert!(!function.doc.is_empty(), "{}.{}", kind.name, function.name);
                for param in &function.params {
                    assert!(!param.doc.is_empty(), "{}.{}", kind.name, function.name);
                }
            }
            assert!(kind.settings.iter().all(|setting| !setting.doc.is_empty()));
        }
    }

    fn assert_unique<'a>(of: &str, names: impl Iterator<Item = &'a str>) {
        let mut names: Vec<&str> = names.collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{of}: a name stands twice in {names:?}");
    }
}
