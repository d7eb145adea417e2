//! Variables, read by libraries, Node.js and shells.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use promptlooper_tests::support::tools;
use proptest::prelude::*;

use super::{check, export, printed, text, written};

type Variables = BTreeMap<String, String>;

fn from_json(printed: &[u8]) -> Variables {
    serde_json::from_slice(printed).unwrap()
}

/// The variables in a file according to each reader.
fn readings(file: &Path) -> Vec<(&'static str, Variables)> {
    let python = |arguments: &str| {
        let script = format!(
            "import dotenv, json, sys\nprint(json.dumps(dotenv.dotenv_values(sys.argv[1]{arguments})))"
        );
        from_json(&printed(Command::new(tools::python_tool("python")).args(["-c", &script]).arg(file)))
    };
    let dotenv = "const [file, modules] = process.argv.slice(1)
        const text = require('fs').readFileSync(file)
        console.log(JSON.stringify(require(modules + '/dotenv').parse(text)))";
    let modules = tools::node_modules();
    let path = std::env::var_os("PATH").unwrap();
    let node = || {
        let mut command = Command::new("node");
        command.env_clear().env("PATH", &path);
        command
    };
    let mut env_file = std::ffi::OsString::from("--env-file=");
    env_file.push(file);
    vec![
        ("python-dotenv", python("")),
        ("python-dotenv without interpolation", python(", interpolate=False")),
        ("dotenv", from_json(&printed(node().args(["-e", dotenv]).arg(file).arg(&modules)))),
        (
            "node --env-file",
            from_json(&printed(
                node().arg(env_file).args(["-e", "console.log(JSON.stringify(process.env))"]),
            )),
        ),
        ("bash", sourced("bash", "C.UTF-8", file)),
        ("bash in the C locale", sourced("bash", "C", file)),
        ("dash", sourced("dash", "C", file)),
    ]
}

/// The variables of a shell after it has read a file.
fn sourced(shell: &str, locale: &str, file: &Path) -> Variables {
    let mut command = Command::new(shell);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", locale);
    command.args(["-c", "set -a; . \"$1\"; exec env -0", shell]).arg(file);
    let printed = String::from_utf8(printed(&mut command)).unwrap();
    let lines = printed.split('\0').filter_map(|line| line.split_once('='));
    lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Variables that exist without the file.
const OF_EVERY_PROCESS: [&str; 6] = ["PATH", "PWD", "OLDPWD", "SHLVL", "_", "LC_ALL"];

/// Decodes the values in base64.
fn decoded(variables: Variables) -> Variables {
    let own = variables.into_iter().filter(|(name, _)| !OF_EVERY_PROCESS.contains(&name.as_str()));
    own.map(|(name, value)| match name.strip_suffix("_BASE64") {
        Some(name) => (name.to_owned(), String::from_utf8(STANDARD.decode(value).unwrap()).unwrap()),
        None => (name, value),
    })
    .collect()
}

fn every_reader_reads(texts: &[String]) -> Result<(), TestCaseError> {
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "best.env", &export(texts).env());
    let wanted: Variables =
        texts.iter().enumerate().map(|(i, text)| (format!("PARAM_V{i}"), text.clone())).collect();
    for (reader, variables) in readings(&file) {
        let read = decoded(variables);
        let differ = wanted.iter().find(|(name, text)| read.get(*name) != Some(text));
        prop_assert_eq!(differ.map(|(name, text)| (text, read.get(name))), None, "{}", reader);
        prop_assert_eq!(read.len(), wanted.len(), "{} reads other variables too", reader);
    }
    Ok(())
}

#[test]
fn every_reader_of_env_files_reads_the_same_text() {
    check(12, &proptest::collection::vec(text(), 1..150), |texts| every_reader_reads(&texts));
}

#[test]
fn every_character_reads_the_same_wherever_it_stands() {
    let ascii = (0..=0xff).filter_map(char::from_u32);
    let others =
        ['\u{1680}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{3000}', '\u{feff}', '\u{ffff}', 'å', '😀'];
    let texts: Vec<String> = ascii
        .chain(others)
        .flat_map(|c| {
            [
                format!("{c}"),
                format!("a{c}"),
                format!("{c}b"),
                format!("a{c}{c}b"),
                format!("a {c} b"),
                format!("'{c}"),
            ]
        })
        .collect();
    every_reader_reads(&texts).unwrap();
}

#[test]
fn long_values_read_the_same() {
    let texts = ["a b\n#æ ", "it's\n", "it's \"so\" "].map(|part| part.repeat(10_000));
    let folder = tempfile::tempdir().unwrap();
    let file = written(folder.path(), "best.env", &export(&texts).env());
    let shells = ["bash", "dash"].map(|shell| {
        let print = ". \"$1\"; printf '%s\\0' \"$PARAM_V0\" \"$PARAM_V1\" \"$PARAM_V2_BASE64\"";
        String::from_utf8(printed(Command::new(shell).args(["-c", print, shell]).arg(&file))).unwrap()
    });
    for read in shells {
        let last = STANDARD.encode(&texts[2]);
        assert!(read == format!("{}\0{}\0{last}\0", texts[0], texts[1]));
    }
    let python = "import dotenv, json, sys\nprint(json.dumps(dotenv.dotenv_values(sys.argv[1])))";
    let read = printed(Command::new(tools::python_tool("python")).args(["-c", python]).arg(&file));
    assert!(decoded(from_json(&read)).into_values().eq(texts));
}
