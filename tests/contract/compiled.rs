//! From the text of a plan to providers that can be asked: what is declared, what compiles and what is carried out are the
//! same settings.

use super::ask::{call, install_crypto, map, text};
use super::server::{Reply, Server};
use deployc::analyze::compile::{SourceText, compile};
use deployc::analyze::files::InMemory;
use deployc::effects::registry;
use deployc::effects::secret::Environment;
use deployc::plan::{Plan, Setting};
use deployc::providers::catalog;
use deployc::values::Value;
use deployc::values::fields::Fields;

/// Each setting of each kind stands here once.
const TEXT: &str = r##"
deploy 1

plan all "All providers" {
  deadline 1h
}

input site: url place

phase only "Only" at start {
  check "Up" within 1m expect api.up("/health")
}

provider prom = prometheus {
  url: "https://prometheus.example.com"
  timeout: 5s
  lookback: 1m
  pod: "pod_name"
  token: secret(env "TOKEN")
  headers: ["X-Scope-OrgID: team-a"]
  ca: "CA"
}
provider api = http { base: site, timeout: 3s, token: secret(env "TOKEN"), headers: ["Accept: */*"], ca: "CA" }
provider tools = shell {
  cwd: "."
  env: { MODE: "production" }
  inherit: ["HOME"]
  secrets: ["TOKEN"]
  timeout: 10m
}
provider room = slack { webhook: secret(env "HOOK"), channel: "#deployments", timeout: 1m }
provider status = webhook {
  url: secret(env "HOOK")
  token: secret(env "TOKEN")
  headers: ["Accept: */*"]
  timeout: 1m
  ca: "CA"
}
"##;

/// Each test has a file of its own: they run beside each other.
fn compiled(test: &str) -> Plan {
    let authority = super::certificate::Authority::new().file(test);
    let text = TEXT.replace("\"CA\"", &format!("\"{}\"", authority.display()));
    let name = "all.deploy".to_owned();
    let compiled = compile(vec![SourceText { name, text }], &InMemory::default());
    let plan = compiled.plan;
    plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

fn environment() -> Environment {
    Environment::from([
        ("PATH", "/usr/bin:/bin"),
        ("HOME", "/home/deployer"),
        ("TOKEN", "s3cr3t-token"),
        ("HOOK", "https://hooks.example.com/services/T000/B000"),
    ])
}

#[test]
fn each_setting_that_is_declared_compiles_and_is_taken() {
    install_crypto();
    let plan = compiled("compiled-settings");
    for provider in &plan.providers {
        let kind = catalog::find(&provider.kind).unwrap();
        let declared: Vec<&str> = kind.settings.iter().map(|setting| setting.name).collect();
        let mut declared = declared;
        declared.sort_unstable();
        let written: Vec<&String> = provider.settings.keys().collect();
        assert_eq!(
            written, declared,
            "{}: a setting is not tried here",
            kind.name
        );
    }
    let inputs = Fields::from([("site", text("https://site.example.com"))]);
    if let Err(problems) = registry::build(&plan, &inputs, &environment()) {
        panic!("{problems:?}");
    }
}

#[test]
fn all_that_is_missing_is_said_at_once_with_its_place() {
    install_crypto();
    let plan = compiled("compiled-missing");
    let Err(problems) = registry::build(&plan, &Fields::new(), &Environment::default()) else {
        panic!("built without secrets");
    };
    let said: Vec<String> = problems
        .iter()
        .map(|problem| format!("{}: {}", problem.provider, problem.message))
        .collect();
    for wanted in [
        "prom: the environment variable `TOKEN` is not set",
        "api: the environment variable `TOKEN` is not set",
        "room: the environment variable `HOOK` is not set",
        "status: the environment variable `HOOK` is not set",
        "tools: the environment variable `HOME` is not set",
    ] {
        assert!(
            said.iter().any(|said| said == wanted),
            "no `{wanted}` in {said:#?}"
        );
    }
    for problem in &problems {
        let provider = plan.provider(&problem.provider).unwrap();
        assert_eq!(problem.loc, provider.loc);
    }
}

#[test]
fn a_setting_from_an_input_needs_it() {
    install_crypto();
    let Err(problems) =
        registry::build(&compiled("compiled-input"), &Fields::new(), &environment())
    else {
        panic!("built without its input");
    };
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(
        problems[0].message,
        "`base` needs the input `site`, which is not set"
    );
}

#[tokio::test]
async fn what_the_plan_calls_is_what_the_provider_answers() {
    let server = Server::start(|_| Reply::new(200, "ok"));
    let mut plan = compiled("compiled-asked");
    for provider in &mut plan.providers {
        provider.settings.remove("ca");
    }
    let inputs = Fields::from([("site", text(server.url("")))]);
    let providers = registry::build(&plan, &inputs, &environment()).unwrap();
    let answer =
        super::ask::read(&*providers["api"], call("up", [("path", text("/health"))])).await;
    assert!(matches!(answer, Ok(Value::Bool(true))), "{answer:?}");
    assert_eq!(server.asked()[0].target, "/health");
    assert_eq!(server.asked()[0].header("accept"), Some("*/*"));
}

#[test]
fn a_setting_of_another_version_is_refused_rather_than_not_kept() {
    install_crypto();
    let mut plan = compiled("compiled-odd");
    let odd = Setting::Value(map([("a", text("b"))]));
    plan.providers[1].settings.insert("retries".to_owned(), odd);
    let inputs = Fields::from([("site", text("https://site.example.com"))]);
    let Err(problems) = registry::build(&plan, &inputs, &environment()) else {
        panic!("accepted");
    };
    assert_eq!(problems[0].message, "`http` has no setting `retries`");
}
