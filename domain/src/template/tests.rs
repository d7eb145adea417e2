use proptest::prelude::*;

use super::*;

fn sample() -> Value {
    Value::from([
        ("input", Value::from(" Hello {{ x }} ")),
        ("n", Value::from(3_i64)),
        ("half", Value::number(2.5)),
        ("yes", Value::from(true)),
        ("nothing", Value::Null),
        ("tags", Value::List(vec![Value::from("b"), Value::from("A"), Value::from("b")])),
        ("nums", Value::List(vec![Value::from(3_i64), Value::number(0.5), Value::from(3_i64)])),
        ("map", Value::from([("k", Value::from("v")), ("a b", Value::from(1_i64))])),
        ("empty", Value::List(vec![])),
    ])
}

fn rendered(source: &str) -> Result<String, String> {
    let sample = sample();
    let template = Template::parse(source).map_err(|error| error.to_string())?;
    template.render(&Scope::new().with("s", &sample)).map_err(|error| error.to_string())
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        assert_eq!(rendered(source), Ok((*expected).to_owned()), "{source}");
    }
}

#[track_caller]
fn check_errors(rows: &[(&str, &str)]) {
    for (source, expected) in rows {
        let error = rendered(source).expect_err(source);
        assert!(error.contains(expected), "{source}: {error:?} lacks {expected:?}");
    }
}

#[test]
fn values_are_put_in_and_never_parsed_again() {
    check(&[
        ("plain {text} } %} }}\n", "plain {text} } %} }}\n"),
        ("[{{ s.input }}]", "[ Hello {{ x }} ]"),
        ("{{ s.n }}{{ s.half }}{{ s.yes }}{{ s.nothing }}", "32.5True"),
        ("{{ s['map'].k }}{{ s.map[\"a b\"] }}{{ s.tags[0] }}{{ s.tags[-1] }}", "v1bb"),
    ]);
}

#[test]
fn blocks_choose_and_repeat() {
    check(&[
        ("{% if s.n > 2 %}a{% elif s.n %}b{% else %}c{% endif %}", "a"),
        ("{% if s.n > 3 %}a{% elif s.n %}b{% else %}c{% endif %}", "b"),
        ("{% if s.empty %}a{% else %}c{% endif %}", "c"),
        (
            "{% for t in s.tags %}{{ loop.index }}{{ t }}{% if not loop.last %},{% endif %}{% endfor %}",
            "1b,2A,3b",
        ),
        (
            "{% for t in s.tags %}{% if loop.first %}!{% endif %}{% for u in s.nums %}{{ loop.index }}{% endfor %}{% endfor %}",
            "!123123123",
        ),
        ("{% for t in s.empty %}x{% endfor %}", ""),
        ("{% set x = s.n %}{{ x }}{% set x = 'y' %}{{ x }}", "3y"),
        ("{% set x = 1 %}{% for t in s.tags %}{% set x = 2 %}{% endfor %}{{ x }}", "1"),
        ("{% raw %}{{ s.n }}{% if %}{% endraw %}", "{{ s.n }}{% if %}"),
        ("a{# no {{ s.n }} #}b", "ab"),
    ]);
}

#[test]
fn white_space_is_trimmed_where_a_dash_says_so() {
    check(&[
        ("a \n {{- s.n -}} \n b", "a3b"),
        ("a {%- if s.n -%} b {%- endif %} c", "ab c"),
        ("a {#- x -#} b", "ab"),
        ("a {#-#} b", "a b"),
        ("a {%- raw -%} b {%- endraw -%} c", "abc"),
        ("a {{ s.n }} b\n", "a 3 b\n"),
    ]);
}

#[test]
fn conditions_compare_and_combine() {
    for (condition, holds) in [
        ("s.n == 3 and s.half >= 2.5", true),
        ("s.n != 3 or s.n < 1", false),
        ("not s.n == 4", true),
        ("'b' in s.tags and 'z' not in s.tags", true),
        ("'ell' in s.input and 'k' in s.map", true),
        ("s.missing is defined", false),
        ("s.missing is not defined", true),
        ("s.nothing is defined", true),
        ("s.missing is defined and s.missing > 1", false),
        ("(s.n > 5 or s.yes) and true", true),
        ("s.tags == ['b', 'A', 'b']", true),
        ("'a' < 'b' and -1 < 0", true),
        ("s.nothing == none", true),
    ] {
        let source = format!("{{% if {condition} %}}yes{{% else %}}no{{% endif %}}");
        assert_eq!(rendered(&source), Ok(if holds { "yes" } else { "no" }.to_owned()), "{condition}");
    }
}

#[test]
fn filters_change_values() {
    check(&[
        ("{{ s.missing | default('x') }}{{ s.missing | default }}", "x"),
        ("{{ '' | default('x') }}{{ '' | default('y', true) }}", "y"),
        ("{{ s.tags | join(', ') }}", "b, A, b"),
        ("{{ s.map | json }}", r#"{"a b":1,"k":"v"}"#),
        ("{{ [1, 0.5, 'é\n', none, s.tags] | json }}", r#"[1,0.5,"é\n",null,["b","A","b"]]"#),
        ("{{ 'héé' | length }}{{ s.tags | length }}{{ s.map | length }}", "332"),
        ("{{ 'aB' | lower }}{{ 'aB' | upper }}{{ ' x ' | trim }}{{ 'aB-cD eF' | title }}", "abABxAb-Cd Ef"),
        ("{{ 'aXbX' | replace('X', '--') }}", "a--b--"),
        ("{{ 'one two three four' | truncate(12) }}", "one two..."),
        (
            "{{ 'one two three four' | truncate(length=12, killwords=true, end='…', leeway=0) }}",
            "one two thr…",
        ),
        ("{{ s.tags | first }}{{ s.nums | last }}{{ 'xyz' | last }}", "b3z"),
        ("{{ s.tags | sort | join }}{{ s.tags | unique | join }}{{ s.nums | sort | first }}", "AbbbA0.5"),
        ("{{ 'a\nb\n\nc' | indent(2) }}", "a\n  b\n\n  c"),
        ("{{ s.half | round }}{{ s.n | round }}{{ 2.345 | round(1) }}", "3.032.3"),
        ("{{ s.n | string | length }}", "1"),
    ]);
}

#[test]
fn what_is_missing_is_named() {
    check_errors(&[
        ("a\n  {{ s.missing }}", "line 2, column 6: `s.missing` is not defined"),
        ("{{ t }}", "`t` is not defined"),
        ("{{ s.missing.deeper }}", "`s.missing` is not defined"),
        ("{{ s.tags[7] }}", "`s.tags.7` is not defined"),
        ("{{ s.empty | first }}", "`first item` is not defined"),
        ("{% if s.missing %}{% endif %}", "`s.missing` is not defined"),
        ("{% for x in s.missing %}{% endfor %}", "`s.missing` is not defined"),
        ("{{ s.missing | upper }}", "`s.missing` is not defined"),
        ("{% for t in s.tags %}{% endfor %}{{ t }}", "`t` is not defined"),
    ]);
}

#[test]
fn values_of_the_wrong_kind_are_named() {
    check_errors(&[
        ("{{ s.tags }}", "this is a list: write `| json`"),
        ("{{ s.map }}", "this is a map: write `| json`"),
        ("{{ s.n | upper }}", "`upper` takes a text, not a number"),
        ("{{ s.n | join }}", "`join` takes a list, not a number"),
        ("{% for x in s.map %}{% endfor %}", "a loop goes over a list, not a map"),
        ("{{ s.n < 'a' }}", "a number and a text have no order"),
        ("{{ s.yes == 1 }}", "a boolean is not compared with a number"),
        ("{{ [1, 'a'] | sort | json }}", "`sort` takes a list of texts, or one of numbers"),
        ("{{ s.n in 3 }}", "a number is not looked for in a number"),
        ("{{ 'x' | truncate(1) }}", "a length that its end fits in"),
        ("{{ s.tags['x'] }}", "a list has no item a text"),
        ("{{ s.n or 'x' }}", "`and` and `or` are for conditions"),
        ("{{ s.n is defined in s.tags }}", "put the test into brackets"),
    ]);
}

#[test]
fn unsupported_syntax_has_errors_of_its_own() {
    check_errors(&[
        ("{{ 1 + 2 }}", "`+`: templates have no arithmetic"),
        ("{{ s.n * 2 }}", "`*`: templates have no arithmetic"),
        ("{{ -s.n }}", "`-`: templates have no arithmetic"),
        ("{{ 'a' ~ 'b' }}", "`~` is not part of templates"),
        ("{{ range(3) }}", "templates call no functions"),
        ("{{ s.input.upper() }}", "templates call no functions"),
        ("{{ s.n if s.yes else 0 }}", "`a if b else c` is not part of templates"),
        ("{{ s.tags[0:1] }}", "`[a:b]` is not part of templates"),
        ("{{ {'a': 1} }}", "maps come from the data only"),
        ("{{ (1, 2) }}", "`(a, b)` is not part of templates"),
        ("{{ 1 < 2 < 3 }}", "comparisons are not chained"),
        ("{{ s.n is odd }}", "unknown test `is odd`"),
        ("{{ s.n | abs }}", "unknown filter `abs`. Known: default, join"),
        ("{{ s.input | trim('x') }}", "`trim` takes no arguments"),
        ("{% macro f() %}{% endmacro %}", "`{% macro %}` is not part of templates"),
        ("{% include 'x' %}", "`{% include %}` is not part of templates"),
        ("{% frob %}", "unknown tag `frob`"),
        ("{% for a, b in s.tags %}{% endfor %}", "give each item one name"),
        ("{% for a in s.tags if a %}{% endfor %}", "a loop has no `if` of its own"),
        ("{% for a in s.tags %}{% else %}{% endfor %}", "a loop has no `else`"),
        ("{{ loop.index }}", "`loop` is only there inside of a loop"),
        ("{% for a in s.tags %}{{ loop.length }}{% endfor %}", "unknown variable `loop.length`"),
        ("{% set loop = 1 %}", "`loop` cannot be the name of a value"),
    ]);
}

#[test]
fn what_is_not_closed_or_closes_nothing_is_found() {
    check_errors(&[
        ("a {{ s.n", "line 1, column 3: the tag is not closed: write `}}`"),
        ("{% if s.n %}", "line 1, column 1: `if` is not closed"),
        ("{% for t in s.tags %}", "`for` is not closed"),
        ("{# x", "the comment is not closed"),
        ("{% raw %}x", "`raw` is not closed"),
        ("x{% endif %}", "`endif` closes nothing"),
        ("{% if s.n %}{% endfor %}", "`endfor` where elif or else or endif was expected"),
        ("{{ 'x }}", "the text is not closed"),
        ("{{ }}", "expected a value"),
        ("{{ s. }}", "expected the name of a field"),
        ("{{ s.n s }}", "`s` does not belong here"),
        ("{{ 12abc }}", "a number here is written"),
        ("{{ 99999999999999999999 }}", "too large a number"),
        ("{{ § }}", "`§` does not belong here"),
    ]);
}

#[test]
fn expensive_templates_are_stopped() {
    let deep =
        |open: &str, close: &str, n: usize| format!("{{{{ {}1{} }}}}", open.repeat(n), close.repeat(n));
    check_errors(&[
        (&deep("(", ")", 100_000), "nested more than 64 levels"),
        (&deep("[", "]", 100_000), "nested more than 64 levels"),
        (&format!("{{{{ {}true }}}}", "not ".repeat(100_000)), "nested more than 64 levels"),
        (&format!("{{{{ 'x'{} }}}}", " | lower".repeat(100_000)), "nested more than 64 levels"),
        (&format!("{{{{ s{} }}}}", ".a".repeat(100_000)), "nested more than 64 levels"),
        (&format!("{{{{ true{} }}}}", " and true".repeat(100_000)), "nested more than 64 levels"),
        (&"{% if true %}".repeat(100_000), "nested more than 64 levels"),
        (
            &format!("{}{}", "{% for a in s.nums %}".repeat(14), "{% endfor %}".repeat(14)),
            "more than 1000000 steps",
        ),
        (
            &format!("{{{{ '{}' | replace('a', '{}') }}}}", "a".repeat(3_000), "a".repeat(3_000)),
            "grows beyond 4 MiB",
        ),
        (
            &format!("{{% set x = [1] %}}{}{{{{ x | json }}}}", "{% set x = [x, x] %}".repeat(40)),
            "more than 1000000 steps",
        ),
        (&format!("{{% set x = [1] %}}{}", "{% set x = [x] %}".repeat(80)), "nested more than 64 levels"),
        ("{{ 'a\nb' | indent(4194304) }}", "grows beyond 4 MiB"),
    ]);
}

#[test]
fn references_say_what_is_read_and_what_may_be_missing() {
    let named_in_a_branch =
        Template::parse("{% if s %}{% set a = 1 %}{{ a }}{% else %}{{ a }}{% endif %}").unwrap();
    let paths: Vec<_> = named_in_a_branch.references().into_iter().map(|read| read.path.join(".")).collect();
    assert_eq!(paths, ["s", "a"]);
    let source = "{{ s.a[0].b }}{{ s['c'] }}{{ d | default('x') }}{% set e = f %}{{ e }}\
                  {% if g.h is defined and g.h.i %}{{ g.h.j }}{{ g.k }}{% else %}{{ g.h }}{% endif %}\
                  {% for l in m %}{{ l.x }}{{ loop.index }}{% endfor %}{{ l }}\
                  {% if n is not defined %}{{ n }}{% else %}{{ n }}{% endif %}{{ [o] | json }}";
    let found: Vec<String> = Template::parse(source)
        .unwrap()
        .references()
        .into_iter()
        .map(|reference| format!("{}{}", reference.path.join("."), if reference.guarded { "?" } else { "" }))
        .collect();
    assert_eq!(
        found,
        ["s.a", "s.c", "d?", "f", "g.h?", "g.h.i?", "g.h.j?", "g.k", "g.h", "m", "l", "n?", "n", "n?", "o"]
    );
}

proptest! {
    #[test]
    fn nothing_panics(source in "[ -~\n]{0,60}", tags in "(\\{\\{|\\{%|\\}\\}|%\\}|\\{#|#\\}|-| |if|endif|for x in s|endfor|set x=|raw|endraw|s\\.n|'|\\||é){0,20}") {
        drop(rendered(&source));
        drop(rendered(&tags));
        drop(rendered(&format!("{{{{ {source} }}}}")));
    }
}

#[test]
fn a_map_with_shared_values_reads_like_any_other() {
    let cut = Value::from([("output", Value::List(vec!["a".into(), "b".into()]))]);
    let say = Value::from([("output", Value::from("hi"))]);
    let shared =
        SharedMap::from([("cut".to_owned(), cut.clone().into()), ("say".to_owned(), say.clone().into())]);
    let plain = Value::from([("cut", cut), ("say", say)]);
    for source in [
        "{{ stages.say.output }} {{ stages.cut.output[1] }} {{ stages.cut.output | length }}",
        "{{ stages['say'].output }} {{ stages | json }}",
        "{% for text in stages.cut.output %}{{ text }}{% endfor %}{% if stages %}!{% endif %}",
        "{{ stages.none | default('x') }} {% if stages.none is defined %}y{% endif %}",
        "{% for stages in stages.cut.output %}{{ stages }}{% endfor %}{{ stages.say.output }}",
        "{% set stages = stages.say %}{{ stages.output }}",
        "{% set all = stages %}{{ all.say.output }}",
        "{{ stages.none }}",
        "{{ stages.say.none }}",
    ] {
        let template = Template::parse(source).unwrap();
        let whole = template.render(&Scope::new().with("stages", &plain));
        assert_eq!(template.render(&Scope::new().with_map("stages", &shared)), whole, "{source}");
    }
}
