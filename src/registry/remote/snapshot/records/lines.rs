//! The records of a document with one of them a line.

use super::{NextItem, Records, broken, place::Place};

impl Records {
    pub(super) fn next_line(&mut self) -> NextItem<'_> {
        while let Some(length) = self.text.get(self.at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
            let line = self.start..self.at + length;
            (self.start, self.at) = (line.end + 1, line.end + 1);
            self.count += 1;
            if self.is_long(line.len()) {
                return self.too_long();
            }
            if !is_blank(self.text.get(line.clone())) {
                self.place = Place::AfterRecord;
                return self.tell(self.count, line);
            }
        }
        self.at = self.text.len();
        self.last_line()
    }

    fn last_line(&mut self) -> NextItem<'_> {
        let line = self.start..self.text.len();
        if self.is_long(line.len()) {
            self.count += 1;
            return self.too_long();
        }
        if !self.ended {
            return NextItem::NeedInput;
        }
        if !is_blank(self.text.get(line.clone())) {
            self.start = line.end;
            self.count += 1;
            self.place = Place::AfterRecord;
            return self.tell(self.count, line);
        }
        if matches!(self.place, Place::Start) { broken("an empty document") } else { NextItem::Done }
    }
}

fn is_blank(line: Option<&[u8]>) -> bool {
    line.unwrap_or_default().trim_ascii().is_empty()
}
