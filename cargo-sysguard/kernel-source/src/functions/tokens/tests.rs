//! Tests of the tokens and of skipped text.

use super::*;

fn tokens(text: &str) -> Vec<Token<'_>> {
    Tokens::new(text).collect()
}

#[test]
fn comments_strings_and_bodies_are_skipped() {
    let text = "a /* ( { */ // ; {\n\"{\\\"(\" '{' b { \"}\" '}' /* } */ { } } c [1 ; 2] ;";
    assert_eq!(tokens(text), [Token::Word("a"), Token::Word("b"), Token::Open, Token::Word("c"), Token::End]);
}

#[test]
fn parentheses_are_one_token() {
    assert_eq!(
        tokens("f(a, (b), \")\") = *x,"),
        [Token::Word("f"), Token::Group("a, (b), \")\""), Token::Assign, Token::Star, Token::Word("x"), Token::Comma]
    );
}

#[test]
fn directives_end_with_their_last_continued_line() {
    assert_eq!(
        tokens("#define A \\\n { \nb\n  # if x /* a\n b */\nc"),
        [
            Token::Directive("define A \\\n { "),
            Token::Word("b"),
            Token::Directive(" if x /* a\n b */"),
            Token::Word("c")
        ]
    );
}

#[test]
fn apostrophe_in_conditional_text_ends_with_its_line() {
    assert_eq!(tokens("don't (\nb)"), [Token::Word("don"), Token::Word("b")]);
}
