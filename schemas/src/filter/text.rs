//! The text form, read by recursive descent.

use super::{Field, Filter, FilterError, Limit, MAX_CHARS, MAX_CONDITIONS, MAX_DEPTH, MAX_VALUES, Test};

/// Reads a filter from its text form.
///
/// # Errors
/// [`FilterError`] with the position of the offending character.
pub fn parse(text: &str) -> Result<Filter, FilterError> {
    let mut parser = Parser { characters: text.chars().collect(), at: 0, depth: 0, conditions: 0 };
    if parser.characters.len() > MAX_CHARS {
        return Err(at(MAX_CHARS, format!("a filter has at most {MAX_CHARS} characters")));
    }
    let filter = parser.any()?;
    match parser.peek() {
        None => Ok(filter),
        Some(')') => Err(parser.wrong("this parenthesis was never opened")),
        Some(_) => Err(parser.wrong("AND or OR is expected here; a value with spaces stands in double quotes")),
    }
}

/// A name or value as the text form writes it: in double quotes where it holds signs of the language.
pub(super) fn written(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./+%&#@".contains(c);
    let bare = !text.is_empty() && text.chars().all(plain) && !text.contains("..") && !keyword(text);
    if bare { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}

fn keyword(word: &str) -> bool {
    ["and", "or", "not"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

fn at(position: usize, reason: impl Into<String>) -> FilterError {
    FilterError { position, pointer: String::new(), reason: reason.into() }
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    depth: usize,
    conditions: usize,
}

impl Parser {
    fn wrong(&self, reason: impl Into<String>) -> FilterError {
        at(self.at, reason)
    }

    /// The next character that is no space.
    fn peek(&mut self) -> Option<char> {
        while self.characters.get(self.at).is_some_and(|c| c.is_whitespace()) {
            self.at += 1;
        }
        self.characters.get(self.at).copied()
    }

    /// Takes a keyword, in any case, if it stands here as a word of its own.
    fn take(&mut self, keyword: &str) -> bool {
        self.peek();
        let end = self.at + keyword.len();
        let here = self
            .characters
            .get(self.at..end)
            .is_some_and(|found| found.iter().zip(keyword.chars()).all(|(c, wanted)| c.eq_ignore_ascii_case(&wanted)));
        let apart = self.characters.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
        if here && apart {
            self.at = end;
        }
        here && apart
    }

    fn any(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter, FilterError> {
        let mut parts = vec![self.one()?];
        while self.take("and") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn one(&mut self) -> Result<Filter, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.wrong(format!("groups can be nested {MAX_DEPTH} deep at most")));
        }
        let filter = if self.take("not") {
            Filter::Not(Box::new(self.one()?))
        } else if self.peek() == Some('(') {
            self.group()?
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    /// Everything between parentheses.
    fn group(&mut self) -> Result<Filter, FilterError> {
        let opened = self.at;
        self.at += 1;
        let inner = self.any()?;
        match self.peek() {
            Some(')') => {
                self.at += 1;
                Ok(inner)
            }
            Some(_) => Err(self.wrong("AND, OR or a closing parenthesis is expected here")),
            None => Err(self.wrong(format!("the parenthesis opened at {opened} is never closed"))),
        }
    }

    fn condition(&mut self) -> Result<Filter, FilterError> {
        self.conditions += 1;
        if self.conditions > MAX_CONDITIONS {
            return Err(self.wrong(format!("a filter has at most {MAX_CONDITIONS} conditions")));
        }
        self.peek();
        let start = self.at;
        let (name, quoted) = self.word(|c| ":=!<>".contains(c))?;
        if name.is_empty() && !quoted {
            return Err(self.wrong("a condition is expected here, as in brand:Canon"));
        }
        if name == "variant" && self.peek() == Some('(') {
            let inner = self.group()?;
            let foreign = inner.conditions().into_iter().find(|(field, _)| {
                !matches!(field, Field::Attribute(_) | Field::Price(_) | Field::Available | Field::Sku)
            });
            return match foreign {
                Some((field, _)) => {
                    Err(at(start, format!("`{field}` is not of a variant: attr.<name>, price, available and sku are")))
                }
                None => Ok(Filter::Variant(Box::new(inner))),
            };
        }
        let field = Field::parse(&name)
            .ok_or_else(|| at(start, format!("there is no field `{name}`; there are {}", Field::KNOWN)))?;
        let before = self.at;
        let filter = self.test(&field)?;
        for (field, test) in filter.conditions() {
            field.check(test).map_err(|reason| at(self.value_start(before), reason))?;
        }
        Ok(filter)
    }

    /// Where the value starts behind a field: after the operator.
    fn value_start(&self, mut position: usize) -> usize {
        while self.characters.get(position).is_some_and(|c| ":=!<>".contains(*c) || c.is_whitespace()) {
            position += 1;
        }
        position
    }

    fn test(&mut self, field: &Field) -> Result<Filter, FilterError> {
        let is = |test| Filter::Is(field.clone(), test);
        let next = self.peek();
        let followed = self.characters.get(self.at + 1) == Some(&'=');
        let operator = match (next, followed) {
            (Some('!' | '<' | '>'), true) => 2,
            (Some(':' | '=' | '<' | '>'), _) => 1,
            (Some('!'), false) => return Err(self.wrong("!= is expected here")),
            _ => {
                return Err(
                    self.wrong(format!("`:` is expected after `{field}`, as in {field}:a,b, or one of = != < <= > >="))
                );
            }
        };
        self.at += operator;
        Ok(match next {
            Some(':' | '=') if self.star() => is(Test::Exists),
            Some(':' | '=') => self.values(field)?,
            Some('!') if self.star() => Filter::Not(Box::new(is(Test::Exists))),
            Some('!') => Filter::Not(Box::new(self.values(field)?)),
            Some('<') => is(Test::Range { from: None, to: Some(self.limit(followed)?) }),
            _ => is(Test::Range { from: Some(self.limit(followed)?), to: None }),
        })
    }

    /// Takes `*` if it stands here alone.
    fn star(&mut self) -> bool {
        let alone =
            self.peek() == Some('*') && self.characters.get(self.at + 1).is_none_or(|c| c.is_whitespace() || *c == ')');
        self.at += usize::from(alone);
        alone
    }

    fn limit(&mut self, inclusive: bool) -> Result<Limit, FilterError> {
        self.peek();
        let (value, quoted) = self.word(|c| c == ',')?;
        if value.is_empty() && !quoted {
            return Err(self.wrong("a number is expected here"));
        }
        Ok(Limit { value, inclusive })
    }

    /// Values and ranges, with commas between them.
    fn values(&mut self, field: &Field) -> Result<Filter, FilterError> {
        let (mut values, mut ranges) = (Vec::new(), Vec::new());
        loop {
            self.peek();
            let (value, quoted) = self.word(|c| c == ',')?;
            match value.split_once("..").filter(|_| !quoted) {
                Some(("", "")) => return Err(self.wrong("a range has at least one bound, as in 10..20, 10.. or ..20")),
                Some((from, to)) => {
                    let limit =
                        |text: &str| (!text.is_empty()).then(|| Limit { value: text.to_owned(), inclusive: true });
                    ranges.push(Filter::Is(field.clone(), Test::Range { from: limit(from), to: limit(to) }));
                }
                None if value.is_empty() && !quoted => return Err(self.wrong("a value is expected here")),
                None => values.push(value),
            }
            if values.len() + ranges.len() > MAX_VALUES {
                return Err(self.wrong(format!("at most {MAX_VALUES} values can be listed")));
            }
            if self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        if !values.is_empty() {
            ranges.insert(0, Filter::Is(field.clone(), Test::In(values)));
        }
        Ok(one_or(ranges, Filter::Any))
    }

    /// A bare word up to a space, a parenthesis, a comma or what else ends it, or a quoted one; and
    /// whether it was quoted. Inside double quotes a doubled one is one.
    fn word(&mut self, ends: impl Fn(char) -> bool) -> Result<(String, bool), FilterError> {
        let mut word = String::new();
        if self.characters.get(self.at) != Some(&'"') {
            while let Some(c) = self.characters.get(self.at).copied() {
                if c == '"' {
                    return Err(self.wrong("a quote stands around the whole value"));
                }
                if c.is_whitespace() || matches!(c, '(' | ')' | ',') || ends(c) {
                    break;
                }
                word.push(c);
                self.at += 1;
            }
            return Ok((word, false));
        }
        let opened = self.at;
        self.at += 1;
        loop {
            match (self.characters.get(self.at), self.characters.get(self.at + 1)) {
                (Some('"'), Some('"')) => {
                    word.push('"');
                    self.at += 2;
                }
                (Some('"'), _) => {
                    self.at += 1;
                    return Ok((word, true));
                }
                (Some(c), _) => {
                    word.push(*c);
                    self.at += 1;
                }
                (None, _) => return Err(self.wrong(format!("the quote opened at {opened} is never closed"))),
            }
        }
    }
}

fn one_or(mut parts: Vec<Filter>, combine: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1 { parts.remove(0) } else { combine(parts) }
}
