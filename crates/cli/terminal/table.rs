//! Tables with lines that are broken in their cells.

use textwrap::core::display_width;

use super::wrap;

/// The lines of a table whose first row is its head, in at most `width` columns. Where they are too
/// few for its longest words, its rows stand below each other.
pub fn lines(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells = |column: usize| rows.iter().filter_map(move |row| row.get(column));
    let natural = |column| cells(column).map(|cell| display_width(cell)).max();
    let word = |column| {
        let words = cells(column).flat_map(|cell| cell.split(' '));
        words.map(display_width).max()
    };
    let mut widths: Vec<usize> = (0..columns).filter_map(natural).collect();
    let least: Vec<usize> = (0..columns).filter_map(word).collect();
    let available = width.saturating_sub(GAP.len() * columns.saturating_sub(1));
    if least.iter().sum::<usize>() > available {
        return records(rows, width);
    }
    // The widest column that can gives way, until all fit.
    while widths.iter().sum::<usize>() > available {
        let shrinks = (0..columns).filter(|&column| widths[column] > least[column]);
        let Some(widest) = shrinks.max_by_key(|&column| widths[column]) else {
            break;
        };
        widths[widest] -= 1;
    }
    let mut lines = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths);
        let cells: Vec<Vec<String>> = cells
            .map(|(cell, &width)| wrap(cell, width, "", ""))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for index in 0..height {
            let parts = cells.iter().zip(&widths).map(|(cell, &width)| {
                let part = cell.get(index).map_or("", String::as_str);
                let padding = width.saturating_sub(display_width(part));
                format!("{part}{}", " ".repeat(padding))
            });
            let parts: Vec<String> = parts.collect();
            lines.push(parts.join(GAP).trim_end().to_string());
        }
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|&width| "─".repeat(width)).collect();
            lines.push(rules.join(GAP));
        }
    }
    lines
}

/// Each row as a list of what stands below each head.
fn records(rows: &[Vec<String>], width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let Some((heads, rows)) = rows.split_first() else {
        return lines;
    };
    for row in rows {
        for (column, (head, cell)) in heads.iter().zip(row).enumerate() {
            let indent = if column == 0 { "" } else { "  " };
            let text = format!("{head}: {cell}");
            lines.extend(wrap(&text, width, indent, "    "));
        }
    }
    lines
}

const GAP: &str = "  ";

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn the_widest_column_gives_way() {
        let row = |cells: [&str; 2]| cells.map(str::to_string).to_vec();
        let rows = [row(["a", "what"]), row(["one", "two three four"])];
        assert_eq!(
            lines(&rows, 14),
            ["a    what", "───  ─────────", "one  two three", "     four"]
        );
        assert_eq!(
            lines(&rows, 10),
            [
                "a    what",
                "───  ─────",
                "one  two",
                "     three",
                "     four"
            ]
        );
    }

    #[test]
    fn what_is_too_wide_stands_below_each_other() {
        let row = |cells: [&str; 3]| cells.map(str::to_string).to_vec();
        let rows = [
            row(["a", "old", "new"]),
            row(["name", "one", "two_three four"]),
        ];
        assert_eq!(
            lines(&rows, 16),
            ["a: name", "  old: one", "  new: two_three", "    four"]
        );
    }
}
