//! The records of `{"users": […]}` or `[…]`.

use super::{
    NextItem, Records, broken,
    place::{Edge, Nesting, Place},
};

const NAME: &[u8] = b"\"users\"";

impl Records {
    pub(super) fn next_in_list(&mut self) -> NextItem<'_> {
        while let Some(byte) = self.text.get(self.at).copied() {
            if let Place::Record(nesting) = &mut self.place {
                let edge = nesting.pass(byte);
                self.at += usize::from(edge != Edge::Past);
                if edge != Edge::Inside {
                    return self.record_ends();
                }
            } else if !self.pass(byte) {
                return self.unexpected();
            }
        }
        let in_record = matches!(self.place, Place::Record(_));
        if in_record && self.is_long(self.at - self.start) {
            return self.too_long();
        }
        if !in_record {
            self.start = self.at;
        }
        match (self.ended, self.place) {
            (false, _) => NextItem::NeedInput,
            (true, Place::End) => NextItem::Done,
            (true, Place::Start) => broken("an empty document"),
            (true, _) => broken(format!("{}: the document ends too soon", self.name(self.count))),
        }
    }

    fn record_ends(&mut self) -> NextItem<'_> {
        let record = self.start..self.at;
        if self.is_long(record.len()) {
            return self.too_long();
        }
        self.place = Place::AfterRecord;
        self.start = self.at;
        self.count += 1;
        self.tell(self.count - 1, record)
    }

    /// Passes a byte outside of records. False if it must not be there.
    fn pass(&mut self, byte: u8) -> bool {
        let within_name = matches!(self.place, Place::Name(1..));
        if byte.is_ascii_whitespace() && !within_name {
            self.at += 1;
            return true;
        }
        let place = match (self.place, byte) {
            (Place::Start | Place::List, b'[') => Place::First,
            (Place::Start, b'{') => {
                self.wrapped = true;
                Place::Name(0)
            }
            (Place::Name(seen), _) if NAME.get(seen) == Some(&byte) => match seen + 1 {
                all if all == NAME.len() => Place::Colon,
                more => Place::Name(more),
            },
            (Place::Colon, b':') => Place::List,
            (Place::First | Place::AfterRecord, b']') if self.wrapped => Place::Close,
            (Place::First | Place::AfterRecord, b']') => Place::End,
            (Place::AfterRecord, b',') => Place::AfterComma,
            (Place::First | Place::AfterComma, _) if !b",:]}".contains(&byte) => {
                self.start = self.at;
                self.place = Place::Record(Nesting::default());
                return true;
            }
            (Place::Close, b'}') => Place::End,
            _ => return false,
        };
        self.place = place;
        self.at += 1;
        true
    }

    fn unexpected(&self) -> NextItem<'_> {
        match self.place {
            Place::Start | Place::Name(_) | Place::Colon | Place::List => broken("expected {\"users\": […]} or […]"),
            Place::End | Place::Close => broken("something stands behind the list of users"),
            _ => broken(format!("{}: not JSON", self.name(self.count))),
        }
    }
}
