//! Every scenario file, on the engine. The same files run through the running gateway (tests/scenarios).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "scenario/parse.rs"]
mod parse;
#[path = "scenario/run.rs"]
mod run;
#[path = "scenario/words.rs"]
mod words;

use std::path::Path;

#[test]
fn every_scenario_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "scn"))
        .collect();
    files.sort();
    assert!(files.len() > 20, "found only {} scenarios in {}", files.len(), folder.display());

    // Every file is run, so that one failure does not hide the next.
    let failed = files.iter().filter(|file| std::panic::catch_unwind(|| run::run(file)).is_err()).count();

    assert_eq!(failed, 0, "scenario files failed; the messages above name file and line");
}

/// A new check without a scenario file does not pass.
#[test]
fn every_check_has_its_scenario() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
    for (name, _, _) in riskcore::checks::CATALOGUE {
        let file = folder.join(format!("{name}.scn"));
        assert!(file.exists(), "the check `{name}` has no scenario: write {}", file.display());
    }
}
