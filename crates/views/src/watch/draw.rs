//! The screen, drawn.

use pleach_core::life::TrialStatus;
use pleach_schedule::draw::{
    Curve, Floor, Picture,
    terminal::{self, Charset, Ink},
};
use pleach_store::Time;
use ratatui::{
    Frame,
    buffer::Buffer,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span, Text},
    widgets::{Clear, Paragraph, Wrap},
};

use super::{
    Ask, Over, Pane, Screen, Subject,
    lines::{aligned, bar, clean, progress, share, state, table, title},
};
use crate::format::plural;

/// With less than so many lines there is one pane at a time.
const ALL_PANES: u16 = 12;

/// With so many there is room for the curve of what is chosen.
const WITH_CURVE: u16 = 34;

/// Lines of that.
const CURVE: u16 = 10;

/// Below so many lines the bar is left out.
const WITH_BAR: u16 = 8;

const HELP: &[(&str, &str)] = &[
    ("q, Esc, Ctrl-C", "leave; the sweep goes on"),
    ("s", "stop the sweep; what runs saves itself"),
    ("p", "pause: nothing more is started; once more: go on"),
    ("r", "retry what failed like the chosen; from other panes, all that failed"),
    ("", "(the sweep must be stopped; `pleach resume` then runs it)"),
    ("Tab, Shift-Tab", "to the next pane, and back"),
    ("arrows, j, k", "up and down; also PageUp, PageDown, Home, End"),
    ("Enter", "curve and parameters of what is chosen; Esc closes them"),
    ("?", "this help"),
];

const STRONG: Style = Style::new().add_modifier(Modifier::BOLD);
const FAINT: Style = Style::new().add_modifier(Modifier::DIM);
const CHOSEN: Style = Style::new().add_modifier(Modifier::REVERSED);

fn colored(ink: Ink, color: Color) -> Style {
    match ink {
        Ink::Color => Style::new().fg(color),
        Ink::Plain => Style::new(),
    }
}

/// Draws everything; `now` is for what is said of times.
pub fn draw(frame: &mut Frame, screen: &Screen, now: Time) {
    let area = frame.area();
    let head = match area.height {
        0..=3 => 1,
        4..WITH_BAR => 2,
        _ => 3,
    };
    let [top, body, foot] =
        Layout::vertical([Constraint::Length(head), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    draw_head(frame, top, screen, now);
    match &screen.over {
        Over::Help => draw_help(frame, body),
        Over::Subject(subject) => draw_subject(frame, body, subject, screen),
        Over::Nothing | Over::Question(_) => draw_panes(frame, body, screen, now),
    }
    draw_foot(frame, foot, screen);
    if screen.charset == Charset::Ascii {
        spell_in_ascii(frame.buffer_mut());
    }
}

/// Signs of the screen by what is nearest to them; of what else is no ASCII it is only said that something is there.
fn spell_in_ascii(screen: &mut Buffer) {
    const SIGNS: [(&str, &str); 15] = [
        ("─–−·", "-"),
        ("━", "="),
        ("▸", ">"),
        ("░▁", "_"),
        ("▂", "."),
        ("▃", "-"),
        ("▄", "="),
        ("▅", "+"),
        ("▆", "*"),
        ("▇", "%"),
        ("█", "#"),
        ("±≈", "~"),
        ("…", "."),
        ("×", "x"),
        ("↑", "^"),
    ];
    for cell in screen.content.iter_mut().filter(|cell| !cell.symbol().is_ascii()) {
        let sign = SIGNS.iter().find(|(signs, _)| signs.contains(cell.symbol()));
        cell.set_symbol(sign.map_or("?", |(_, ascii)| ascii));
    }
}

fn draw_head(frame: &mut Frame, area: Rect, screen: &Screen, now: Time) {
    let seen = &screen.seen;
    let (state, is_urgent) = state(seen);
    let color = if is_urgent { Color::Yellow } else { Color::Green };
    let first = Line::from(vec![
        Span::styled(clean(&seen.name), STRONG),
        Span::raw("  "),
        Span::styled(state, colored(screen.ink, color)),
    ]);
    let full = bar(share(seen), usize::from(area.width));
    let lines = vec![
        first,
        Line::raw(clean(&progress(seen, now))),
        Line::styled(full, colored(screen.ink, Color::Cyan)),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn draw_panes(frame: &mut Frame, area: Rect, screen: &Screen, now: Time) {
    if area.height < ALL_PANES {
        draw_pane(frame, area, screen, screen.pane, now);
        return;
    }
    // A title, the head of the table, and its rows, or a word that there are none.
    let wanted =
        |pane| screen.seen.count(pane).max(1) as u16 + 1 + u16::from(screen.seen.count(pane) != 0);
    let subject = screen.subject().filter(|it| 1 < it.curve.len() && WITH_CURVE <= area.height);
    let [running, board, failures, curve] = Layout::vertical([
        Constraint::Length(wanted(Pane::Running).min(area.height / 3)),
        Constraint::Fill(1),
        Constraint::Length(wanted(Pane::Failures).min(area.height / 4)),
        Constraint::Length(if subject.is_some() { CURVE + 3 } else { 0 }),
    ])
    .areas(area);
    for (pane, area) in [(Pane::Running, running), (Pane::Board, board), (Pane::Failures, failures)]
    {
        draw_pane(frame, area, screen, pane, now);
    }
    if let Some(subject) = subject {
        draw_rule(frame, curve, &format!("Curve of {}", subject.title), '─');
        draw_curve(frame, below(curve, 1), &subject, screen);
    }
}

/// `── Title ─────`.
fn draw_rule(frame: &mut Frame, area: Rect, title: &str, dash: char) {
    let dashes = dash.to_string();
    let mut rule = format!("{} {} ", dashes.repeat(2), clean(title));
    let used = Line::raw(rule.as_str()).width();
    rule += &dashes.repeat(usize::from(area.width).saturating_sub(used));
    let style = if dash == '━' { STRONG } else { FAINT };
    frame.render_widget(Line::styled(rule, style), Rect { height: area.height.min(1), ..area });
}

/// What is left of an area after so many lines.
fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect { y: area.y + lines, height: area.height - lines, ..area }
}

fn draw_pane(frame: &mut Frame, area: Rect, screen: &Screen, pane: Pane, now: Time) {
    let (seen, is_chosen) = (&screen.seen, pane == screen.pane);
    draw_rule(frame, area, &title(seen, pane), if is_chosen { '━' } else { '─' });
    let body = below(area, 1);
    if seen.count(pane) == 0 {
        frame.render_widget(Line::styled("  none", FAINT), body);
        return;
    }
    let rows = aligned(&table(seen, pane, now));
    let Some((head, rows)) = rows.split_first() else { return };
    let has_head = 1 < body.height;
    if has_head {
        frame.render_widget(Line::styled(format!("  {head}"), FAINT), body);
    }
    let body = below(body, u16::from(has_head));
    let height = usize::from(body.height);
    let chosen = screen.chosen[pane as usize];
    let skipped = (chosen + 1).saturating_sub(height);
    let line = |(row, text): (usize, &String)| {
        let is_here = is_chosen && row == chosen;
        let (mark, style) = if is_here { ("▸ ", CHOSEN) } else { ("  ", Style::new()) };
        Line::styled(format!("{mark}{text}"), style)
    };
    let lines: Vec<Line> = rows.iter().enumerate().skip(skipped).take(height).map(line).collect();
    frame.render_widget(Paragraph::new(lines), body);
}

fn draw_subject(frame: &mut Frame, area: Rect, subject: &Subject, screen: &Screen) {
    draw_rule(frame, area, &subject.title, '━');
    let mut lines: Vec<Line> = Vec::new();
    let names = subject.parameters.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    for (name, value) in &subject.parameters {
        lines.push(Line::raw(clean(&format!("  {name:names$}  {value}"))));
    }
    lines.extend(subject.words.iter().map(|line| Line::raw(format!("  {}", clean(line)))));
    let has_curve = 1 < subject.curve.len();
    if !has_curve && subject.id.0 != Pane::Failures {
        lines.push(Line::styled("  no curve yet", FAINT));
    }
    let height = if has_curve { (CURVE + 2).min(area.height / 2) } else { 0 };
    let [text, curve] =
        Layout::vertical([Constraint::Fill(1), Constraint::Length(height)]).areas(below(area, 1));
    frame.render_widget(Paragraph::new(lines).wrap(Wrap { trim: false }), text);
    draw_curve(frame, curve, subject, screen);
}

fn draw_curve(frame: &mut Frame, area: Rect, subject: &Subject, screen: &Screen) {
    let height = usize::from(area.height.saturating_sub(2));
    if height < 2 || subject.curve.is_empty() {
        return;
    }
    let points = subject.curve.iter().map(|point| (point.step as f64, point.mean)).collect();
    let curve = Curve { name: String::new(), points, lowest: None };
    let steps = subject.curve.last().map_or(0, |point| point.step);
    let picture = Picture { curves: vec![curve], steps, floor: Floor::Lowest };
    // The last number of its axis may stick out.
    let width = usize::from(area.width).saturating_sub(3);
    let text = terminal::draw(
        &picture,
        terminal::Style { width, height, charset: screen.charset, ink: Ink::Plain },
    );
    frame.render_widget(Text::styled(text, colored(screen.ink, Color::Cyan)), area);
}

fn draw_help(frame: &mut Frame, area: Rect) {
    draw_rule(frame, area, "Keys", '━');
    let line = |(keys, what): &(&str, &str)| Line::raw(format!("  {keys:16}{what}"));
    let lines: Vec<Line> = HELP.iter().map(line).collect();
    frame.render_widget(Paragraph::new(lines), below(area, 1));
}

fn draw_foot(frame: &mut Frame, area: Rect, screen: &Screen) {
    frame.render_widget(Clear, area);
    let name = &screen.seen.name;
    let (text, style) = match &screen.over {
        Over::Question(ask) => {
            let retry = |n| format!("let {} run again?", plural(n, "failed trial"));
            let question = match ask {
                Ask::Retry(trials) => retry(trials.len() as u64),
                Ask::RetryFailed => retry(screen.seen.trials(TrialStatus::Failed)),
                Ask::Stop | Ask::Leave | Ask::Pause | Ask::Continue => {
                    format!("stop `{name}`? what runs saves itself")
                }
            };
            (format!("{question}  y: yes, other keys: no"), CHOSEN)
        }
        _ if !screen.said.is_empty() => (screen.said.clone(), STRONG),
        Over::Help | Over::Subject(_) => ("Esc back · q leave".to_owned(), FAINT),
        Over::Nothing => {
            let leave = if screen.is_running() { "leave (the sweep goes on)" } else { "leave" };
            let keys = format!("q {leave} · ? help · s stop · p pause · r retry · Tab · Enter");
            (keys, FAINT)
        }
    };
    frame.render_widget(Line::styled(clean(&text), style), area);
}
