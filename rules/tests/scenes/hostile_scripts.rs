//! Scripts that try to hold, fill or end the process. The test and the example of that name run the same ones.

use std::fmt::Write;

/// A script, and where its hostile part runs.
pub(crate) struct Hostile {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// While the script loads.
    Load,
    /// In a closure of the scene `s`, which a report of the wind speed sets off.
    Call,
}

/// Helpers that every script has.
const FUNCTIONS: &str = r#"
fn deep(x) { deep(x + 1) }
fn ping(x) { pong([x]) } fn pong(x) { ping([x]) }
fn wide(x) { [wide(x), wide(x)] }
fn nested(x) { [[[[[[[[nested(x)]]]]]]]] }
fn arguments(x) { one(one(one(one(one(one(one(one(one(one(arguments(x))))))))))) } fn one(x) { x }
fn blocks(x) { {{{{{{{{{{{{ blocks(x) }}}}}}}}}}}} }
fn trials(x) { try {try {try {try {try { trials(x) } catch {}} catch {}} catch {}} catch {}} catch {} }
fn through(x) { [x].map(|y| through(y)) }
fn sorted(x) { [2, 1].sort(|a, b| sorted(a)) }
fn fib(n) { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }
fn big_text() { let s = "x"; s.pad(16000, 'y'); s }
fn big_array() { let a = []; a.pad(4000, 7); a }
fn mixed_array() { let a = []; a.pad(1000, "text"); a.push(1.5); a.push([1]); a.push(#{ a: 1 }); a }
fn big_map() { let m = #{}; for i in 0..1000 { m[`k${i}`] = i; } m }
fn big_blob() { blob(4000, 7) }
fn tower() { let a = [1]; for i in 0..30 { a = [a]; } a }
fn many() { let a = []; a.pad(130, tower()); a }
"#;

/// Whole bodies. `$n` is a number, `$v` a value, `$f` a function of Rhai.
const BODIES: [&str; 99] = [
    "loop {}",
    "while true { let x = $n; }",
    "do { } while true;",
    "do { } until false;",
    "for i in 0..9223372036854775807 { }",
    "for i in range(0, 9223372036854775807, $n) { }",
    "for i in range(0.0, 1e300, 1e-300) { }",
    "for i in range(0.0, 1.0, 1e-9) { }",
    "loop { try { throw $v; } catch (e) { } }",
    "loop { try { loop { } } catch { } }",
    "deep($n)",
    "ping($n)",
    "wide($n)",
    "nested($n)",
    "arguments($n)",
    "blocks($n)",
    "trials($n)",
    "through($n)",
    "sorted($n)",
    "fib(40)",
    "let f = |x| deep(x); f.call($n)",
    "let s = \"x\"; loop { s += s; }",
    "let s = \"x\"; loop { s = `${s}${s}`; }",
    "let s = \"x\"; loop { s = s + s; }",
    "let s = \"\"; loop { s += $v; }",
    "let s = big_text(); loop { let t = s + \"\"; t.make_upper(); }",
    "let s = big_text(); loop { let t = s; t.replace(\"y\", s); }",
    "let s = big_text(); loop { let t = s; t.replace('y', s); }",
    "let s = big_text(); loop { let t = s; t.replace(\"\", s); }",
    "let s = big_text(); loop { let t = s; t.replace(\"y\", \"z\"); }",
    "let s = big_text(); loop { let t = s; t.replace(\"yyy\", \"zzz\"); t.replace('z', 'y'); }",
    "let s = big_text(); loop { try { s.split(\"\"); } catch { } }",
    "let s = big_text(); loop { s.split('y'); }",
    "let s = big_text(); loop { s.index_of(s + \"x\"); s.index_of(\"yyyyyyyyyyyyyyyyyyyyyyyyx\"); }",
    "let s = big_text(); loop { s.contains(\"yyyyyyyyyyyyyyyyyyyyyyyyyx\"); }",
    "let s = big_text(); loop { for c in s { } }",
    "let s = big_text(); loop { let t = s; t.remove(\"y\"); t.pad(16000, \"ab\"); }",
    "let s = big_text(); loop { s.to_chars(); }",
    "let s = big_text(); loop { s == s + \"\"; s < s + \"\"; }",
    "let s = big_text(); loop { s[-1]; s[15999] = 'z'; s.sub_string(-1); }",
    "let s = \"x\"; loop { s.pad(9223372036854775807, \"y\"); }",
    "let s = \"x\"; loop { s.pad(16000, big_text()); }",
    "let a = [0]; loop { a += a; }",
    "let a = [0]; loop { a.append(a); }",
    "let a = []; loop { a = [a, a]; }",
    "let a = []; loop { a = [a]; }",
    "let a = []; loop { a.push(a); }",
    "let a = [[]]; loop { a[0] = a; }",
    "let a = #{}; loop { a = #{ a: a }; }",
    "let a = #{}; loop { a.b = a; }",
    "let a = #{}; let i = 0; loop { a[`k${i}`] = $v; i += 1; }",
    "let a = [0]; loop { a.for_each(|| this = [this]); }",
    "let a = big_array(); loop { a == a; }",
    "let a = big_array(); loop { a == big_array(); }",
    "let a = tower(); loop { a == tower(); }",
    "let a = many(); loop { a == many(); }",
    "let a = many(); loop { a.contains(tower()); a.index_of(7); }",
    "let a = many(); loop { let b = a; b.push(a); }",
    "let a = many(); loop { `${a}`; a.to_debug(); }",
    "let a = big_array(); loop { `${a}`; }",
    "let a = big_array(); loop { a.contains(8); a.index_of(8); 8 in a; }",
    "let a = mixed_array(); loop { try { a.contains(#{ z: 1 }); } catch { } }",
    "let a = mixed_array(); loop { try { a.index_of(()); } catch { } }",
    "let a = big_array(); loop { a.dedup(); a.pad(4000, $n); }",
    "let a = big_array(); loop { a.dedup(|x, y| false); }",
    "let a = big_array(); loop { a.sort(); a.sort_desc(); a.reverse(); }",
    "let a = big_array(); loop { a.sort(|x, y| y - x); }",
    "let a = big_array(); a.sort(|x, y| a.len()); a.sort(|x, y| loop { })",
    "let a = big_array(); a.sort(|x, y| if x == y { -1 } else { 1 }); loop { a.sort(|x, y| -1); }",
    "let a = []; for i in 0..4000 { a.push(i * 7919 % 4001); } loop { let b = a; b.sort(|x, y| if (x + y) % 3 == 0 { 1 } else { -1 }); }",
    "let a = big_array(); loop { let b = a; b.drain(|x| true); b = a; b.retain(|x| false); }",
    "let a = big_array(); loop { let b = a; b.chop(1); b = a; b.drain(0..4000); b = a; b.splice(0..1, a); }",
    "let a = big_array(); loop { a.insert(0, $v); a.remove(0); a.shift(); a.insert(0, 1); }",
    "let a = big_array(); loop { a.extract(0, 4000); a + []; a.split(2000); }",
    "let a = big_array(); a.map(|x| a.map(|y| a.map(|z| z)))",
    "let a = big_array(); a.filter(|x| a.reduce(|s, y| s + y, 0) > 0)",
    "let a = big_array(); a.reduce(|s, x| [s], 0)",
    "let a = big_array(); a.for_each(|x| a.len())",
    "let a = big_array(); let f = || a; a.push(f); loop { a = [f, f]; }",
    "let a = []; a.pad(999999999999, $v);",
    "let a = []; loop { a.pad(4096, a + [1]); }",
    "let b = blob(9223372036854775807);",
    "let b = big_blob(); loop { b += b; }",
    "let b = big_blob(); loop { b.reverse(); b.to_array(); b.as_string(); b + b; }",
    "let b = big_blob(); loop { let a = [b, b, b]; }",
    "let m = big_map(); loop { m == m; }",
    "let m = big_map(); loop { m.keys(); m.values(); m + m; m.to_json(); }",
    "let m = big_map(); loop { m.map(|k| 1); m.filter(|k| true); }",
    "let s = \"[\"; s.pad(8000, '['); loop { try { parse_json(s); } catch { } }",
    "let s = \"{}\"; loop { parse_json(s); parse_json(\"[\" + \"1,\" + \"2]\"); }",
    "let f = || 1; loop { f = || f; }",
    "let f = || 1; loop { let g = f; f = || g; }",
    "let f = || 1; loop { let g = f; let h = f; f = || [g, h]; }",
    "let f = || 1; let big = big_array(); loop { let g = f; let b = big; f = || [g, b]; }",
    "fn setter(set) { let z = (); set.call(|| z); |v| z = v } let r = (); let root = || r; let set = |v| r = v; loop { set = setter(set); }",
    "let f = |x| x; loop { f = f.curry(f); }",
    "let f = Fn(\"deep\"); f.call(1); loop { Fn(\"fib\"); }",
    "loop { get_fn_metadata_list(); back_trace(); type_of($v); }",
    "loop { print($v); debug($v); }",
];

/// Of the scene language itself.
const WORDS: [&str; 22] = [
    "let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = all([c, c]); }",
    "let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = c & c; }",
    "let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = !c; }",
    "let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = any([c]); }",
    "let c = prop(\"wt-01\", \"wind_speed\") > 1; loop { c = held(c, \"1m\"); }",
    "let c = prop(\"nope\", \"x\") > 1; loop { c = any([c, c]); }",
    "let s = big_text(); loop { scene(s).title(s); }",
    "let s = big_text(); let i = 0; loop { scene(`s${i}`).title(s).then([notify(\"x\", s)]); i += 1; }",
    "let i = 0; loop { scene(`s${i}`).then([run_scene(`t${i}`)]); i += 1; }",
    "let i = 0; loop { print(`${i} ${big_text()}`); i += 1; }",
    "let a = []; a.pad(4000, delay(\"1s\")); loop { scene(\"t\").then(a); }",
    "let a = []; a.pad(4000, prop(\"wt-01\", \"wind_speed\") > 1); let c = all(a); loop { scene(\"t\").when(c); }",
    "let f = || 1; for i in 0..60 { let g = f; let h = f; f = || [g, h]; } scene(\"t\").then([run(f)]);",
    "let f = || 1; f = || f; scene(\"t\").then([run(f)]);",
    "let i = 0; loop { scene(`s${i}`).only_if(check(`${i}`, || i)); i += 1; }",
    "let i = 0; loop { value(`nope${i}`, \"x\"); i += 1; }",
    "let i = 0; loop { try { value(`nope${i}`, \"x\"); } catch { } i += 1; }",
    "let s = big_text(); loop { try { value(s, s); } catch { } }",
    "loop { value_or(\"wt-01\", \"wind_speed\", big_array()); devices(#{ model: \"wind-turbine\" }); }",
    "let s = big_text(); loop { emit(notify(\"x\", s)); }",
    "loop { emit(run_scene(\"s\")); }",
    "let a = []; a.pad(4000, notify(\"x\", \"y\")); loop { a.for_each(|s| emit(s)); }",
];

/// What must not even be read.
const FORBIDDEN: [&str; 12] = [
    "eval(\"loop {}\")",
    "import \"/etc/passwd\" as x;",
    "import \"../secret\" as x; x::y()",
    "export x;",
    "sleep(3600)",
    "sleep(3600.5)",
    "timestamp()",
    "let x = open_file(\"/etc/passwd\");",
    "exit($v)",
    "let f = Fn(\"eval\"); f.call(\"loop {}\")",
    "call(\"eval\", \"1\")",
    "\"sleep\".call(5)",
];

/// Values to hand to whatever takes them.
const VALUES: [&str; 24] = [
    "0",
    "-1",
    "9223372036854775807",
    "-9223372036854775808",
    "1e308",
    "0.0/0.0",
    "1.0/0.0",
    "\"\"",
    "\"é\"",
    "'x'",
    "()",
    "true",
    "[]",
    "#{}",
    "blob()",
    "0..9223372036854775807",
    "-9223372036854775808..=9223372036854775807",
    "|x| x",
    "|| loop {}",
    "big_text()",
    "big_array()",
    "big_map()",
    "big_blob()",
    "many()",
];

/// Functions and operators of Rhai.
const NATIVES: [&str; 116] = [
    "abs",
    "acos",
    "all",
    "append",
    "as_string",
    "atan",
    "bits",
    "blob",
    "bytes",
    "ceiling",
    "chars",
    "chop",
    "clear",
    "contains",
    "cos",
    "crop",
    "debug",
    "dedup",
    "drain",
    "elapsed",
    "end",
    "ends_with",
    "exp",
    "extract",
    "fill_with",
    "filter",
    "find",
    "find_map",
    "floor",
    "for_each",
    "fraction",
    "get",
    "get_bit",
    "get_bits",
    "hypot",
    "index_of",
    "insert",
    "int",
    "is_def_fn",
    "is_empty",
    "is_even",
    "is_exclusive",
    "is_finite",
    "is_infinite",
    "is_nan",
    "is_odd",
    "is_shared",
    "is_zero",
    "keys",
    "len",
    "ln",
    "log",
    "make_lower",
    "make_upper",
    "map",
    "max",
    "min",
    "mixin",
    "order",
    "order_desc",
    "pad",
    "parse_be_int",
    "parse_float",
    "parse_int",
    "parse_json",
    "parse_le_float",
    "pop",
    "push",
    "range",
    "reduce",
    "reduce_rev",
    "remove",
    "replace",
    "retain",
    "reverse",
    "round",
    "set",
    "set_bit",
    "set_bits",
    "set_tag",
    "shift",
    "sign",
    "sin",
    "some",
    "sort",
    "sort_by",
    "sort_desc",
    "splice",
    "split",
    "split_rev",
    "sqrt",
    "start",
    "starts_with",
    "sub_string",
    "tag",
    "take",
    "tan",
    "to_array",
    "to_binary",
    "to_blob",
    "to_chars",
    "to_debug",
    "to_degrees",
    "to_float",
    "to_hex",
    "to_int",
    "to_json",
    "to_lower",
    "to_string",
    "to_upper",
    "trim",
    "truncate",
    "values",
    "write_ascii",
    "write_le",
    "zip",
];

const OPERATORS: [&str; 20] =
    ["+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "==", "!=", "<", ">", "<=", ">=", "in", "..", "??"];

/// The scripts of a seed, half of them for each phase.
pub(crate) fn scripts(seed: u64, count: usize) -> Vec<Hostile> {
    let mut dice = Dice(seed);
    (0..count).map(|at| script(&mut dice, at)).collect()
}

fn script(dice: &mut Dice, at: usize) -> Hostile {
    let phase = if at.is_multiple_of(2) { Phase::Load } else { Phase::Call };
    // The first scripts are one of each body, so that none is left to luck.
    let fixed = BODIES.iter().chain(&WORDS).chain(&FORBIDDEN).nth(at / 2);
    let body = match (fixed, dice.below(8)) {
        (Some(body), _) => dice.fill(body),
        (None, 0 | 1) => wrapped(dice),
        (None, 2) => source_bomb(dice),
        (None, 3) => {
            let body = dice.pick(&WORDS);
            dice.fill(body)
        }
        (None, _) => abuse(dice),
    };
    let text = match phase {
        Phase::Load => format!("{FUNCTIONS}{body}"),
        Phase::Call => called(dice, &body),
    };
    Hostile { name: format!("{at}: {}", body.chars().take(120).collect::<String>()), text, phase }
}

/// A scene with the body in one of the places that call closures.
fn called(dice: &mut Dice, body: &str) -> String {
    let scene = "scene(\"s\").when(level(prop(\"wt-01\", \"wind_speed\") > 0))";
    let steps = match dice.below(4) {
        0 => format!(".only_if(check(\"c\", || {{ {body} }})).then([notify(\"x\", \"y\")])"),
        1 => format!(".then([notify(\"x\", || {{ {body} }})])"),
        2 => format!(".then([set(\"wt-01\", \"power_limit\", || {{ {body} }})])"),
        _ => format!(".then([run(|| {{ {body} }})])"),
    };
    format!("{FUNCTIONS}{scene}{steps};")
}

/// A body inside of other constructions.
fn wrapped(dice: &mut Dice) -> String {
    let body = dice.pick(&BODIES);
    let mut body = dice.fill(body);
    for _ in 0..dice.below(4) {
        body = match dice.below(6) {
            0 => format!("for w in 0..{} {{ {body} }}", dice.below(1_000)),
            1 => format!("[1, 2, 3].map(|w| {{ {body} }})"),
            2 => format!("try {{ {body} }} catch (w) {{ }}"),
            3 => format!("let w = || {{ {body} }}; loop {{ w.call(); }}"),
            4 => format!("if {} == 1 {{ }} else {{ {body} }}", dice.below(9)),
            _ => format!("big_array().filter(|w| {{ {body}; true }})"),
        };
    }
    body
}

/// Functions with arguments that they were not made for, over and over.
fn abuse(dice: &mut Dice) -> String {
    let mut text = format!("let v = {}; let w = {}; loop {{ ", dice.pick(&VALUES), dice.pick(&VALUES));
    for _ in 0..=dice.below(4) {
        let (a, b, c) = (dice.pick(&VALUES), dice.pick(&VALUES), dice.pick(&VALUES));
        let f = dice.pick(&NATIVES);
        let attempt = match dice.below(6) {
            0 => format!("v.{f}();"),
            1 => format!("v.{f}({a});"),
            2 => format!("v.{f}({a}, {b});"),
            3 => format!("w.{f}({a}, {b}, {c});"),
            4 => format!("v = v {} {a};", dice.pick(&OPERATORS)),
            _ => format!("v = w; w = {f}(v, {a});"),
        };
        let _ = write!(text, "try {{ {attempt} }} catch {{ }} ");
    }
    text + "}"
}

/// Text that is hard to read for a parser.
fn source_bomb(dice: &mut Dice) -> String {
    let size = *dice.pick(&[60, 1_000, 16 * 1024, 200 * 1024, 1024 * 1024]);
    let (open, middle, close) = *dice.pick(&[
        ("[", "1", "]"),
        ("(", "1", ")"),
        ("#{a:", "1", "}"),
        ("{", "1", "}"),
        ("`${", "1", "}`"),
        ("|| ", "1", ""),
        ("-", "1", ""),
        ("!", "true", ""),
        ("1 + ", "1", ""),
        ("1 ** ", "1", ""),
        ("true && ", "true", ""),
        ("() ?? ", "1", ""),
        ("deep(", "1", ")"),
        ("if true {", "1", "}"),
        ("if false { 1 } else ", "{ 2 }", ""),
        ("switch 1 { 1 => ", "1", "}"),
        ("let x = ", "1", ""),
        ("/*", "", "*/"),
        ("\"\\u0041", "\"", ""),
        ("x.", "y", ""),
        ("1;", "1", ""),
        ("let a = 1;", "a", ""),
        ("[1,2].len().", "abs()", ""),
        ("\u{1F9E8}", "", ""),
        ("while true ", "{}", ""),
        ("try {", "1", "} catch {}"),
        ("r#\"", "\"#", ""),
        ("fn f() {", "1", "}"),
    ]);
    let times = size / (open.len() + close.len());
    format!("{}{middle}{}", open.repeat(times), close.repeat(times))
}

/// A small generator of numbers, xorshift, so that a seed always makes the same scripts.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() >> 33) as usize % end
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn fill(&mut self, body: &str) -> String {
        let number = self.next() as i64 >> self.below(60);
        let number = number.max(1).to_string();
        let value = *self.pick(&VALUES);
        body.replace("$n", &number).replace("$v", value)
    }
}
