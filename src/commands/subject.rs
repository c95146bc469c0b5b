//! What a person asks about: an item, a watch or a rule, by whatever it is called.

use crate::causes::Subject;
use crate::plan::{Plan, elements};
use crate::values::fields::Fields;

/// The one thing of the plan that is called so; else words that say which are.
pub fn find(plan: &Plan, inputs: &Fields, said: &str) -> Result<Subject, String> {
    let mut all = named(plan, inputs);
    // A name, a path or a ref means one thing, also where another has it as its title.
    for exact in [Called::Word, Called::Title] {
        let found = all.iter().filter(|thing| thing.is_called(said, exact));
        let found: Vec<&Thing> = found.collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(one.subject),
            several => {
                let several = several.iter().map(|thing| format!("`{}`", thing.address));
                let several: Vec<String> = several.collect();
                return Err(format!("`{said}` could mean {}", several.join(", ")));
            }
        }
    }
    all.retain(|thing| thing.is_like(said));
    let near: Vec<String> = all
        .iter()
        .take(NEAR_MAX)
        .map(|thing| format!("`{}`", thing.address))
        .collect();
    Err(match near.is_empty() {
        true => {
            format!("nothing in the plan is called `{said}`; `deployc log RUN` names what there is")
        }
        false => format!(
            "nothing in the plan is called `{said}`; there are {}",
            near.join(", ")
        ),
    })
}

const NEAR_MAX: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Called {
    Word,
    Title,
}

struct Thing {
    subject: Subject,
    /// Means it and nothing else.
    address: String,
    words: Vec<String>,
    title: Option<String>,
}

impl Thing {
    fn is_called(&self, said: &str, by: Called) -> bool {
        match by {
            Called::Word => self.words.iter().any(|word| word == said),
            Called::Title => self.title.as_deref() == Some(said),
        }
    }

    fn is_like(&self, said: &str) -> bool {
        let said = said.to_lowercase();
        let names = self.words.iter().chain(&self.title);
        names
            .map(|name| name.to_lowercase())
            .any(|name| name.contains(&said))
    }
}

fn named(plan: &Plan, inputs: &Fields) -> Vec<Thing> {
    let hidden = elements::hidden(plan, inputs);
    let nodes = plan.nodes.iter().filter(|node| !hidden.contains(&node.id));
    let mut all: Vec<Thing> = nodes
        .map(|node| Thing {
            subject: Subject::Item(node.id),
            address: node.path.clone(),
            words: node
                .refs
                .iter()
                .chain(&node.name)
                .chain([&node.path])
                .cloned()
                .collect(),
            title: node.title.clone(),
        })
        .collect();
    for (watch, of_plan) in (0u32..).zip(&plan.watches) {
        all.push(Thing {
            subject: Subject::Watch(watch),
            address: format!("watch/{watch}"),
            words: with_address(&of_plan.refs, format!("watch/{watch}")),
            title: Some(of_plan.title.clone()),
        });
        for (rule, of_plan) in (0u32..).zip(&of_plan.rules) {
            let title = of_plan
                .title
                .clone()
                .unwrap_or_else(|| of_plan.text.to_string());
            all.push(Thing {
                subject: Subject::Rule { watch, rule },
                // Two watches may have a rule each of the same title.
                address: format!("watch/{watch}/{rule}"),
                words: with_address(&of_plan.refs, format!("watch/{watch}/{rule}")),
                title: Some(title),
            });
        }
    }
    all
}

fn with_address(refs: &[String], address: String) -> Vec<String> {
    refs.iter().cloned().chain([address]).collect()
}
