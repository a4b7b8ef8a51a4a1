//! What two spellings of one name have in common where a directory compares them as loosely as directories do.

use icu_normalizer::DecomposingNormalizer;
use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};

/// The text without what the loosest collations overlook: forms of compatibility (NFKD), case, marks, what is not shown, and
/// space around it. Two texts that some collation takes for one have one skeleton, as far as can be; two users may share one too.
pub(crate) fn of(text: &str) -> String {
    let normalizer = DecomposingNormalizer::new_nfkd();
    // Upper case first: it is `SS` of `ß`, `Σ` of `ς` and `I` of `ı`.
    let folded = normalizer
        .normalize(text)
        .chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect::<String>();
    let shown: String =
        normalizer.normalize(&folded).chars().filter(|character| is_base(*character)).map(unstroked).collect();
    shown.trim().to_owned()
}

fn is_base(character: char) -> bool {
    use GeneralCategory::{EnclosingMark, NonspacingMark};
    let is_mark =
        || matches!(CodePointMapData::<GeneralCategory>::new().get(character), NonspacingMark | EnclosingMark);
    let is_ignorable = || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character);
    character.is_ascii_graphic() || character == ' ' || !(is_mark() || is_ignorable() || character.is_control())
}

/// Strokes are accents to collations (DUCET), and no marks to Unicode.
fn unstroked(character: char) -> char {
    match character {
        'ø' => 'o',
        'ł' => 'l',
        'đ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_that_some_collation_takes_for_one_have_one_skeleton() {
        let spellings = [
            "josé",
            "JOSÉ",
            "jose\u{301}",
            "jose",
            " jose ",
            "ｊｏｓｅ",
            "jos\u{200b}e",
            "jo\u{ad}se",
            "j\u{336}ose",
            "Jøse",
            "jos\u{300}e",
            "jos\u{313}e",
            "jose\0",
            "jose\u{a0}",
        ];
        for spelling in spellings {
            assert_eq!(of(spelling), "jose", "{spelling:?}");
        }
    }

    #[test]
    fn case_is_folded_in_full() {
        assert_eq!(of("STRASSE"), of("straße"));
        assert_eq!(of("ΣΊΣΥΦΟΣ"), of("σίσυφος"));
        assert_eq!(of("DIYARBAKIR"), of("dıyarbakır"));
        assert_eq!(of("İstanbul"), "istanbul");
        assert_eq!(of("ﬁn"), "fin");
    }

    #[test]
    fn other_names_stay_other_names() {
        let names = ["jose", "josef", "jo se", "jo.se", "j0se", "жозе", "何塞", "हिन्दी"];
        for (at, name) in names.iter().enumerate() {
            assert!(names.iter().skip(at + 1).all(|other| of(name) != of(other)), "{name}");
        }
    }
}
