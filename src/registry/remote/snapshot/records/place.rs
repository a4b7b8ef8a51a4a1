//! Where in a document of records the reading is.

/// Where in a document.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Start,
    /// So much of the name of the list was seen.
    Name(usize),
    Colon,
    List,
    /// In the list, where a record or the list's end may be.
    First,
    Record(Nesting),
    AfterRecord,
    AfterComma,
    Close,
    End,
}

/// How deep inside a record we are.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nesting {
    depth: u32,
    in_string: bool,
    escaped: bool,
}

/// Whether a record goes on.
#[derive(PartialEq)]
pub(super) enum Edge {
    Inside,
    /// This byte is its last.
    Last,
    /// This byte is no longer part of it.
    Past,
}

impl Nesting {
    /// Takes the next byte.
    pub(super) fn pass(&mut self, byte: u8) -> Edge {
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' if self.in_string => self.escaped = true,
            b'"' => {
                self.in_string = !self.in_string;
                return self.edge();
            }
            _ if self.in_string => {}
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth == 0 => return Edge::Past,
            b'}' | b']' => {
                self.depth -= 1;
                return self.edge();
            }
            b',' | b' ' | b'\n' | b'\r' | b'\t' if self.depth == 0 => return Edge::Past,
            _ => {}
        }
        Edge::Inside
    }

    fn edge(&self) -> Edge {
        if self.depth == 0 && !self.in_string { Edge::Last } else { Edge::Inside }
    }
}
