//! The contract of `shell`.

use super::ask::{
    call, commit, field, flag, number, observe, prepare, provider, read, text, words,
};
use deployc::effects::provider::Provider;
use deployc::providers::request::{
    Call, Direction, Failure, FailureKind, Key, Observable, Observation, Outcome, Request, Response,
};
use deployc::values::Value;
use std::sync::Arc;

/// What a command of a bench does.
#[derive(Clone, Copy, Debug)]
pub enum Does {
    /// Says `hello` and ends with 0.
    SaysHello,
    /// Says `{"version": 3}` and ends with 0.
    SaysJson,
    /// Complains `no such host` and ends with 3.
    Fails,
}

/// A machine and a provider that runs commands on it.
pub trait Bench {
    fn command(&mut self, does: Does) -> Vec<String>;
    fn provider(&self) -> Arc<dyn Provider>;
}

/// All cases that the twin passes too.
pub async fn suite<B: Bench>(bench: impl Fn() -> B) {
    a_command_that_ends_well_gives_its_output(bench()).await;
    output_that_is_json_can_be_read(bench()).await;
    a_status_other_than_0_is_no_success(bench()).await;
    preparing_runs_nothing_and_says_whether_it_can_be_repeated(bench()).await;
    a_command_has_no_inverse(bench()).await;
    the_machine_can_be_read(bench()).await;
}

async fn a_command_that_ends_well_gives_its_output(mut bench: impl Bench) {
    let argv = bench.command(Does::SaysHello);
    let result = applied(run(&*bench.provider(), "hello", &argv).await);
    assert_eq!(number(&field(&result, "status")), 0.0);
    assert_eq!(words(&field(&result, "stdout")).trim(), "hello");
    assert_eq!(words(&field(&result, "stderr")), "");
    assert!(matches!(field(&result, "json"), Value::Absent));
}

async fn output_that_is_json_can_be_read(mut bench: impl Bench) {
    let argv = bench.command(Does::SaysJson);
    let result = applied(run(&*bench.provider(), "json", &argv).await);
    match field(&result, "json") {
        Value::Json(json) => assert_eq!(json["version"], 3),
        other => panic!("{other:?}"),
    }
}

async fn a_status_other_than_0_is_no_success(mut bench: impl Bench) {
    let argv = bench.command(Does::Fails);
    match run(&*bench.provider(), "fails", &argv).await {
        Outcome::Unachieved(failure) => {
            assert_eq!(failure.kind, FailureKind::Invalid);
            assert!(
                failure.message.contains("ended with status 3"),
                "{failure:?}"
            );
            assert!(failure.message.contains("no such host"), "{failure:?}");
        }
        other => panic!("{other:?}"),
    }
}

async fn preparing_runs_nothing_and_says_whether_it_can_be_repeated(mut bench: impl Bench) {
    let argv = bench.command(Does::SaysHello);
    let it = bench.provider();
    let once = prepare(&*it, "once", run_call(&argv)).await.unwrap();
    assert_eq!(once.observable, Observable::AtMostOnce);
    assert!(once.inverse.is_null());
    assert!(matches!(
        observe(&*it, "once", once).await,
        Observation::Unknown(_)
    ));
    let mut again = run_call(&argv);
    again
        .args
        .insert("idempotent".to_owned(), Value::Bool(true));
    let again = prepare(&*it, "again", again).await.unwrap();
    assert_eq!(again.observable, Observable::Idempotent);
    assert!(matches!(
        observe(&*it, "again", again).await,
        Observation::NotApplied
    ));
}

async fn a_command_has_no_inverse(mut bench: impl Bench) {
    let argv = bench.command(Does::SaysHello);
    let it = bench.provider();
    let intent = prepare(&*it, "back", run_call(&argv)).await.unwrap();
    let key = Key("back".to_owned());
    let back = Request::Commit {
        key,
        intent,
        direction: Direction::Back,
    };
    match it.answer(back).await {
        Response::Committed(Outcome::NotApplied(failure)) => {
            assert_eq!(failure.kind, FailureKind::Refused);
        }
        other => panic!("{other:?}"),
    }
}

async fn the_machine_can_be_read(bench: impl Bench) {
    let it = bench.provider();
    assert!(number(&read(&*it, call("cores", [])).await.unwrap()) >= 1.0);
    if cfg!(target_os = "linux") {
        assert!(number(&read(&*it, call("free_memory", [])).await.unwrap()) > 1e6);
    }
    assert!(flag(&exists(&*it, ".").await.unwrap()));
}

async fn exists(it: &dyn Provider, path: &str) -> Result<Value, Failure> {
    read(it, call("exists", [("path", text(path))])).await
}

fn run_call<S: AsRef<str>>(argv: &[S]) -> Call {
    let argv = argv.iter().map(|word| text(word.as_ref())).collect();
    call("run", [("argv", Value::List(argv))])
}

async fn run<S: AsRef<str>>(it: &dyn Provider, key: &str, argv: &[S]) -> Outcome {
    let intent = prepare(it, key, run_call(argv)).await.unwrap();
    commit(it, key, intent).await
}

fn applied(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Applied { result, .. } => result,
        other => panic!("{other:?}"),
    }
}

// ---- the real one: processes of a Unix -------------------------------------------------------------------

#[cfg(unix)]
mod real {
    use super::*;
    use crate::contract::ask::{map, seconds, setting, texts};
    use deployc::effects::secret::Environment;
    use deployc::plan::Setting;
    use std::path::{Path, PathBuf};
    use std::time::{Duration, Instant};

    struct Machine;

    impl Bench for Machine {
        fn command(&mut self, does: Does) -> Vec<String> {
            script(match does {
                Does::SaysHello => "echo hello",
                Does::SaysJson => "echo '{\"version\": 3}'",
                Does::Fails => "echo no such host >&2; exit 3",
            })
        }

        fn provider(&self) -> Arc<dyn Provider> {
            shell(vec![])
        }
    }

    fn script(text: &str) -> Vec<String> {
        vec!["sh".to_owned(), "-c".to_owned(), text.to_owned()]
    }

    fn environment() -> Environment {
        let path = std::env::var("PATH").unwrap();
        Environment::from([
            ("PATH", path.as_str()),
            ("KUBECONFIG", "/root/kube"),
            ("DB_PASSWORD", "p4ssw0rd-of-db"),
            ("UNNAMED", "not handed on"),
        ])
    }

    fn shell(settings: Vec<(&str, Setting)>) -> Arc<dyn Provider> {
        provider("shell", settings, &environment()).unwrap()
    }

    fn folder(name: &str) -> PathBuf {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("shell-{name}"));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    async fn until(what: &str, mut is: impl FnMut() -> bool) {
        let end = Instant::now() + Duration::from_secs(10);
        while !is() {
            assert!(Instant::now() < end, "never: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Of a process whose id a script has written into a file.
    fn runs(pid_file: &Path) -> bool {
        let pid = std::fs::read_to_string(pid_file).unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    }

    #[tokio::test]
    async fn the_real_one_keeps_the_contract() {
        suite(|| Machine).await;
    }

    #[tokio::test]
    async fn no_shell_reads_the_words() {
        let it = shell(vec![]);
        let result = applied(
            run(
                &*it,
                "words",
                &["printf", "%s|", "$HOME; echo x", "a b", "*"],
            )
            .await,
        );
        assert_eq!(words(&field(&result, "stdout")), "$HOME; echo x|a b|*|");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_found_before_the_change() {
        let it = shell(vec![]);
        for program in ["no-such-program", "/no/such/program", "/etc/passwd"] {
            let failure = prepare(&*it, "k", run_call(&[program])).await.unwrap_err();
            assert_eq!(failure.kind, FailureKind::NotFound, "{failure:?}");
            assert!(failure.message.contains(program), "{failure:?}");
        }
        let empty: [&str; 0] = [];
        let failure = prepare(&*it, "k", run_call(&empty)).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Invalid);
    }

    #[tokio::test]
    async fn a_program_that_went_away_since_has_changed_nothing() {
        let folder = folder("gone");
        let program = folder.join("tool");
        std::fs::write(&program, "#!/bin/sh\n").unwrap();
        let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&program, executable).unwrap();
        let it = shell(vec![]);
        let intent = prepare(&*it, "gone", run_call(&[program.to_str().unwrap()]))
            .await
            .unwrap();
        std::fs::remove_file(&program).unwrap();
        match commit(&*it, "gone", intent).await {
            Outcome::NotApplied(failure) => assert_eq!(failure.kind, FailureKind::NotFound),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_environment_is_what_the_plan_names() {
        let it = shell(vec![
            ("env", setting(map([("MODE", text("production"))]))),
            ("inherit", setting(texts(["KUBECONFIG"]))),
            ("secrets", setting(texts(["DB_PASSWORD"]))),
        ]);
        let result = applied(run(&*it, "run-1/step-2", &["env"]).await);
        let stdout = field(&result, "stdout");
        let mut lines: Vec<&str> = words(&stdout).lines().collect();
        lines.retain(|line| !line.starts_with("PATH="));
        lines.sort_unstable();
        let wanted = [
            "DB_PASSWORD=[secret DB_PASSWORD]",
            "DEPLOYC_KEY=run-1/step-2",
            "KUBECONFIG=/root/kube",
            "MODE=production",
        ];
        assert_eq!(lines, wanted);
    }

    #[tokio::test]
    async fn a_failure_shows_no_secret() {
        let it = shell(vec![("secrets", setting(texts(["DB_PASSWORD"])))]);
        let outcome = run(&*it, "leak", &script("echo $DB_PASSWORD >&2; exit 1")).await;
        let shown = format!("{outcome:?}");
        assert!(shown.contains("[secret DB_PASSWORD]"), "{shown}");
        assert!(!shown.contains("p4ssw0rd"), "{shown}");
    }

    #[tokio::test]
    async fn commands_and_files_are_those_of_the_folder() {
        let folder = folder("cwd");
        std::fs::write(folder.join("here"), "").unwrap();
        let it = shell(vec![("cwd", setting(text(folder.to_str().unwrap())))]);
        let result = applied(run(&*it, "cwd", &["ls"]).await);
        assert_eq!(words(&field(&result, "stdout")), "here\n");
        assert!(flag(&exists(&*it, "here").await.unwrap()));
        assert!(!flag(&exists(&*it, "there").await.unwrap()));
        assert!(!flag(&exists(&*it, "here/below").await.unwrap()));
        let lost = shell(vec![("cwd", setting(text("/no/such/folder")))]);
        let failure = prepare(&*lost, "k", run_call(&["ls"])).await.unwrap_err();
        assert!(failure.message.contains("/no/such/folder"), "{failure:?}");
    }

    #[tokio::test]
    async fn a_flood_of_output_keeps_its_head_and_its_tail() {
        let it = shell(vec![]);
        let flood = "echo first; head -c 50000000 /dev/zero | tr '\\0' x; echo; echo last";
        let result = applied(run(&*it, "flood", &script(flood)).await);
        let stdout = field(&result, "stdout");
        let stdout = words(&stdout);
        assert!(stdout.starts_with("first\n") && stdout.ends_with("x\nlast\n"));
        assert!(stdout.len() < 70_000, "{}", stdout.len());
        assert!(stdout.contains("bytes left out"));
    }

    #[tokio::test]
    async fn a_time_limit_ends_grandchildren_too() {
        let folder = folder("limit");
        let it = shell(vec![
            ("cwd", setting(text(folder.to_str().unwrap()))),
            ("timeout", setting(seconds(0.5))),
        ]);
        let text = "echo started; (sh -c 'echo $$ > grandchild; sleep 300') & sleep 300";
        let started = Instant::now();
        match run(&*it, "limit", &script(text)).await {
            Outcome::Unknown(failure) => {
                assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
                assert!(
                    failure.message.contains("longer than 500ms: started"),
                    "{failure:?}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert!(started.elapsed() < Duration::from_secs(30));
        assert!(
            !runs(&folder.join("grandchild")),
            "the grandchild is still there"
        );
    }

    #[tokio::test]
    async fn who_does_not_listen_to_sigterm_is_killed_after_a_grace() {
        let folder = folder("deaf");
        let it = shell(vec![
            ("cwd", setting(text(folder.to_str().unwrap()))),
            ("timeout", setting(seconds(0.3))),
        ]);
        let deaf = "trap '' TERM; echo $$ > deaf; while true; do sleep 1; done";
        let started = Instant::now();
        assert!(matches!(
            run(&*it, "deaf", &script(deaf)).await,
            Outcome::Unknown(_)
        ));
        let took = started.elapsed();
        assert!(
            took > Duration::from_secs(3) && took < Duration::from_secs(30),
            "{took:?}"
        );
        assert!(!runs(&folder.join("deaf")));
    }

    #[tokio::test]
    async fn who_listens_to_sigterm_can_clear_up() {
        let folder = folder("polite");
        let it = shell(vec![
            ("cwd", setting(text(folder.to_str().unwrap()))),
            ("timeout", setting(seconds(0.3))),
        ]);
        let polite = "trap 'echo cleared > cleared; exit 0' TERM; while true; do sleep 0.05; done";
        run(&*it, "polite", &script(polite)).await;
        assert_eq!(
            std::fs::read_to_string(folder.join("cleared")).unwrap(),
            "cleared\n"
        );
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_process_that_left_the_group_is_found_by_its_key() {
        let folder = folder("session");
        let it = shell(vec![("cwd", setting(text(folder.to_str().unwrap())))]);
        let text = "setsid sh -c 'echo $$ > daemon; sleep 300' & while [ ! -s daemon ]; do sleep 0.01; done";
        let started = Instant::now();
        applied(run(&*it, "session", &script(text)).await);
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the pipe held it up"
        );
        assert!(!runs(&folder.join("daemon")));
    }

    #[tokio::test]
    async fn going_away_ends_the_command() {
        let folder = folder("dropped");
        let it = shell(vec![("cwd", setting(text(folder.to_str().unwrap())))]);
        let text =
            "trap 'echo told > told; exit 1' TERM; echo $$ > pid; while true; do sleep 0.05; done";
        let intent = prepare(&*it, "dropped", run_call(&script(text)))
            .await
            .unwrap();
        let pid = folder.join("pid");
        let started = pid.clone();
        tokio::select! {
            outcome = commit(&*it, "dropped", intent) => panic!("{outcome:?}"),
            () = until("it starts", || std::fs::read_to_string(&started).is_ok_and(|text| !text.is_empty())) => {}
        }
        until("it ends", || !runs(&pid)).await;
        assert!(folder.join("told").exists(), "it was not told to end first");
    }

    #[test]
    fn the_end_of_the_runtime_ends_the_command() {
        let folder = folder("runtime");
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let pid = folder.join("pid");
        runtime.block_on(async {
            let it = shell(vec![("cwd", setting(text(folder.to_str().unwrap())))]);
            let text = "echo $$ > pid; sleep 300 & wait";
            let intent = prepare(&*it, "runtime", run_call(&script(text)))
                .await
                .unwrap();
            tokio::spawn(async move { commit(&*it, "runtime", intent).await });
            let written = pid.clone();
            until("it starts", || {
                std::fs::read_to_string(&written).is_ok_and(|text| !text.is_empty())
            })
            .await;
        });
        drop(runtime);
        let end = Instant::now() + Duration::from_secs(5);
        while runs(&pid) {
            assert!(Instant::now() < end, "it is still there");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[tokio::test]
    async fn a_signal_from_outside_leaves_the_outcome_unknown() {
        let it = shell(vec![]);
        match run(&*it, "killed", &script("kill -9 $$")).await {
            Outcome::Unknown(failure) => {
                assert!(failure.message.contains("SIGKILL"), "{failure:?}");
            }
            other => panic!("{other:?}"),
        }
    }

    /// As after `kill -9` of the runner: the command goes on and nobody waits for it.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_an_earlier_process_left_running_is_seen_and_ended_before_it_runs_again() {
        let folder = folder("orphan");
        let it = shell(vec![("cwd", setting(text(folder.to_str().unwrap())))]);
        let mut orphan = std::process::Command::new("sleep")
            .arg("300")
            .env("DEPLOYC_KEY", "orphan-key")
            .spawn()
            .unwrap();
        let once = prepare(&*it, "orphan-key", run_call(&["true"]))
            .await
            .unwrap();
        match observe(&*it, "orphan-key", once).await {
            Observation::Unknown(failure) => {
                let wanted = format!("still running as process {}", orphan.id());
                assert!(failure.message.contains(&wanted), "{failure:?}");
            }
            other => panic!("{other:?}"),
        }
        let mut again = run_call(&["true"]);
        again
            .args
            .insert("idempotent".to_owned(), Value::Bool(true));
        let again = prepare(&*it, "orphan-key", again).await.unwrap();
        let waited = tokio::task::spawn_blocking(move || orphan.wait().unwrap());
        applied(commit(&*it, "orphan-key", again).await);
        let status = waited.await.unwrap();
        assert_eq!(
            std::os::unix::process::ExitStatusExt::signal(&status),
            Some(15)
        );
    }

    #[test]
    fn variables_that_are_not_there_are_named_before_the_run() {
        for name in ["inherit", "secrets"] {
            let settings = vec![(name, setting(texts(["NOWHERE"])))];
            let Err(problems) = provider("shell", settings, &environment()) else {
                panic!("accepted");
            };
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(
                problems[0].message.contains("`NOWHERE` is not set"),
                "{problems:?}"
            );
        }
    }
}
