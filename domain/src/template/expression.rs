//! Parses the expressions inside tags.

use super::Fault;
use super::ast::{Argument, Comparison, Expr, Kind};
use super::filters::Filter;
use super::lexer::{Token, TokenKind};
use super::limits::check_depth;
use super::tokens::{Tokens, left_over};

const COMPARISONS: [(&str, Comparison); 6] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::LessOrEqual),
    (">=", Comparison::GreaterOrEqual),
    ("<", Comparison::Less),
    (">", Comparison::Greater),
];

impl Tokens {
    pub(super) fn expression(&mut self) -> Result<Expr, Fault> {
        self.depth = check_depth(self.depth + 1, self.at())?;
        let expr = self.or();
        self.depth -= 1;
        expr
    }

    fn or(&mut self) -> Result<Expr, Fault> {
        let mut left = self.and()?;
        while self.takes_name("or") {
            let right = self.and()?;
            left = both(left, right, Kind::Or)?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, Fault> {
        let mut left = self.not()?;
        while self.takes_name("and") {
            let right = self.not()?;
            left = both(left, right, Kind::And)?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expr, Fault> {
        let at = self.at();
        if !self.takes_name("not") {
            return self.comparison();
        }
        self.depth = check_depth(self.depth + 1, at)?;
        let negated = self.not();
        self.depth -= 1;
        around(at, negated?, Kind::Not)
    }

    fn comparison(&mut self) -> Result<Expr, Fault> {
        let left = self.filtered()?;
        let Some(compare) = self.comparison_sign()? else { return Ok(left) };
        let right = self.filtered()?;
        let compared = match compare {
            Compare::Sign(comparison) => both(left, right, |a, b| Kind::Compare(comparison, a, b))?,
            Compare::In => both(left, right, Kind::In)?,
            Compare::NotIn => {
                let at = left.at;
                around(at, both(left, right, Kind::In)?, Kind::Not)?
            }
        };
        if self.comparison_sign()?.is_some() {
            return self.fault("comparisons are not chained: write `a < b and b < c`");
        }
        Ok(compared)
    }

    fn comparison_sign(&mut self) -> Result<Option<Compare>, Fault> {
        if self.takes_name("in") {
            return Ok(Some(Compare::In));
        }
        if self.takes_name("not") {
            self.keyword("in")?;
            return Ok(Some(Compare::NotIn));
        }
        let sign = COMPARISONS.iter().find(|(sign, _)| self.takes(sign));
        Ok(sign.map(|(_, comparison)| Compare::Sign(*comparison)))
    }

    /// A value, followed by filters and tests.
    fn filtered(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.postfix()?;
        loop {
            let at = self.at();
            if self.takes("|") {
                expr = self.filter(expr)?;
            } else if self.takes_name("is") {
                let negated = self.takes_name("not");
                let test = self.name("`defined`")?;
                if test != "defined" {
                    return Err(Fault::new(at, format!("unknown test `is {test}`. Known: `is defined`")));
                }
                if self.next_is_name("in") || self.next_is_name("not") {
                    return self.fault("put the test into brackets: `(a is defined) in b`");
                }
                let place = expr.at;
                expr = around(place, expr, Kind::Defined)?;
                if negated {
                    expr = around(place, expr, Kind::Not)?;
                }
            } else {
                return Ok(expr);
            }
        }
    }

    fn filter(&mut self, of: Expr) -> Result<Expr, Fault> {
        let at = self.at();
        let name = self.name("the name of a filter")?;
        let filter = Filter::parse(&name).ok_or_else(|| Fault::new(at, Filter::unknown(&name)))?;
        let arguments = if self.takes("(") { self.arguments()? } else { Vec::new() };
        filter.check(&arguments).map_err(|message| Fault::new(at, message))?;
        let deepest = arguments.iter().map(|argument| argument.value.depth).max().unwrap_or(0);
        let depth = check_depth(of.depth.max(deepest) + 1, at)?;
        Ok(Expr { at: of.at, depth, kind: Kind::Filter(filter, Box::new(of), arguments) })
    }

    fn arguments(&mut self) -> Result<Vec<Argument>, Fault> {
        let mut arguments: Vec<Argument> = Vec::new();
        while !self.takes(")") {
            let mut value = self.expression()?;
            let mut name = None;
            if let (true, Kind::Name(named)) = (self.next_is("="), &value.kind) {
                name = Some(named.clone());
                self.takes("=");
                value = self.expression()?;
            }
            // Named arguments come last, so only the previous one has to be checked.
            if name.is_none() && arguments.last().is_some_and(|argument| argument.name.is_some()) {
                return Err(Fault::new(value.at, "arguments without a name come first"));
            }
            arguments.push(Argument { name, value });
            if !self.takes(",") && !self.next_is(")") {
                return self.fault("expected `,` or `)`");
            }
        }
        Ok(arguments)
    }

    /// A value, followed by fields and indices.
    fn postfix(&mut self) -> Result<Expr, Fault> {
        let mut expr = self.primary()?;
        loop {
            let at = self.at();
            if self.takes(".") {
                let field = self.name("the name of a field; items of lists are written `[0]`")?;
                check_loop(&expr, &field)?;
                let place = expr.at;
                expr = around(place, expr, |of| Kind::Field(of, field))?;
            } else if self.takes("[") {
                let index = self.expression()?;
                if self.next_is(":") {
                    return self
                        .fault("`[a:b]` is not part of templates: there are `[0]`, `first` and `last`");
                }
                self.sign("]", "`]`")?;
                expr = both(expr, index, Kind::Index)?;
            } else if self.next_is("(") {
                return Err(Fault::new(
                    at,
                    "templates call no functions: filters are written `value | filter`",
                ));
            } else {
                return check_loop_alone(expr);
            }
        }
    }

    fn primary(&mut self) -> Result<Expr, Fault> {
        let at = self.at();
        let leaf = |kind| Ok(Expr { at, depth: 1, kind });
        let Some(token) = self.left.next() else {
            return Err(Fault::new(at, "expected a value before the tag ends"));
        };
        match token.kind {
            TokenKind::Text(text) => leaf(Kind::Text(text)),
            TokenKind::Whole(whole) => leaf(Kind::Whole(whole)),
            TokenKind::Float(float) => leaf(Kind::Float(float)),
            TokenKind::Name(name) => self.named(at, name),
            TokenKind::Sign("(") => {
                let inner = self.expression()?;
                if self.next_is(",") {
                    return self.fault("`(a, b)` is not part of templates: lists are written `[a, b]`");
                }
                self.sign(")", "`)`")?;
                Ok(inner)
            }
            TokenKind::Sign("[") => self.list(at),
            TokenKind::Sign("-") => self.negative(at),
            TokenKind::Sign("{") => {
                Err(Fault::new(at, "`{…}` is not part of templates: maps come from the data only"))
            }
            TokenKind::Sign(sign) => Err(Fault::new(at, left_over(&TokenKind::Sign(sign)))),
        }
    }

    fn named(&mut self, at: usize, name: String) -> Result<Expr, Fault> {
        let kind = match name.as_str() {
            "true" | "True" => Kind::Bool(true),
            "false" | "False" => Kind::Bool(false),
            "none" | "None" => Kind::None,
            "loop" if !self.in_loop => return Err(Fault::new(at, "`loop` is only there inside of a loop")),
            "and" | "or" | "in" | "is" | "if" | "else" | "not" => {
                return Err(Fault::new(at, format!("expected a value, not `{name}`")));
            }
            _ => Kind::Name(name),
        };
        Ok(Expr { at, depth: 1, kind })
    }

    fn list(&mut self, at: usize) -> Result<Expr, Fault> {
        let mut items: Vec<Expr> = Vec::new();
        while !self.takes("]") {
            items.push(self.expression()?);
            if !self.takes(",") && !self.next_is("]") {
                return self.fault("expected `,` or `]`");
            }
        }
        let depth = check_depth(items.iter().map(|item| item.depth).max().unwrap_or(0) + 1, at)?;
        Ok(Expr { at, depth, kind: Kind::List(items) })
    }

    fn negative(&mut self, at: usize) -> Result<Expr, Fault> {
        let kind = match self.left.next() {
            Some(Token { kind: TokenKind::Whole(whole), .. }) => Kind::Whole(-whole),
            Some(Token { kind: TokenKind::Float(float), .. }) => Kind::Float(-float),
            _ => return Err(Fault::new(at, left_over(&TokenKind::Sign("-")))),
        };
        Ok(Expr { at, depth: 1, kind })
    }
}

enum Compare {
    Sign(Comparison),
    In,
    NotIn,
}

fn around(at: usize, inner: Expr, kind: impl FnOnce(Box<Expr>) -> Kind) -> Result<Expr, Fault> {
    let depth = check_depth(inner.depth + 1, at)?;
    Ok(Expr { at, depth, kind: kind(Box::new(inner)) })
}

fn both(left: Expr, right: Expr, kind: impl FnOnce(Box<Expr>, Box<Expr>) -> Kind) -> Result<Expr, Fault> {
    let depth = check_depth(left.depth.max(right.depth) + 1, left.at)?;
    Ok(Expr { at: left.at, depth, kind: kind(Box::new(left), Box::new(right)) })
}

/// The variables of a loop.
const LOOP: [&str; 3] = ["index", "first", "last"];

fn check_loop(of: &Expr, field: &str) -> Result<(), Fault> {
    let is_loop = matches!(&of.kind, Kind::Name(name) if name == "loop");
    if is_loop && !LOOP.contains(&field) {
        let message = format!("unknown variable `loop.{field}`. Known: loop.{}", LOOP.join(", loop."));
        return Err(Fault::new(of.at, message));
    }
    Ok(())
}

fn check_loop_alone(expr: Expr) -> Result<Expr, Fault> {
    match &expr.kind {
        Kind::Name(name) if name == "loop" => {
            Err(Fault::new(expr.at, format!("`loop` is not a value. Known: loop.{}", LOOP.join(", loop."))))
        }
        _ => Ok(expr),
    }
}
