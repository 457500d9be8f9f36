"""How a report's page looks: one style sheet, inside the file. Contrast is at least 7:1 for text."""

STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; background: #fff; color: #1a1a1a;
  font: 1rem/1.5 system-ui, "Liberation Sans", "DejaVu Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; border-bottom: 2px solid #1a1a1a; }
.subtitle { margin: 0 0 1rem; font-size: 1.05rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(13rem, 100%), 1fr)); gap: .75rem;
  margin: 1rem 0; }
.figures div { border: 1px solid #595959; border-radius: .25rem; padding: .5rem .75rem; }
dt { font-weight: 600; overflow-wrap: break-word; hyphens: auto; }
dd { margin: 0; }
.value { font-size: 1.6rem; line-height: 1.3; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.remark, .note, figcaption, footer { font-size: .9rem; color: #404040; }
.note { margin: .25rem 0; }
blockquote { margin: 1rem 0; padding: .5rem 1rem; border-left: .35rem solid #005a9c; background: #f2f6fa; }
blockquote p { margin: 0; }
.wide { overflow-x: auto; margin: 1rem 0 .25rem; }
.wide:focus-visible, summary:focus-visible { outline: 3px solid #005a9c; outline-offset: 2px; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums;
  overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding: .25rem 0; }
th, td { padding: .25rem .4rem; border-bottom: 1px solid #8c8c8c; text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid #1a1a1a; vertical-align: bottom; font-size: .85rem; line-height: 1.3;
  hyphens: auto; }
tbody th { font-weight: 400; min-width: 8rem; }
.n { text-align: right; }
td { white-space: nowrap; }
figure { margin: 1.5rem 0; }
figcaption { margin-bottom: .25rem; }
figcaption strong { font-size: 1rem; color: #1a1a1a; }
figure svg { display: block; width: 100%; height: auto; }
summary { cursor: pointer; padding: .4rem 0; }
footer { margin-top: 2rem; border-top: 1px solid #8c8c8c; }
@media print {
  @page { size: A4; margin: 15mm; }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .wide { overflow: visible; }
  table { font-size: 9pt; }
  th, td { padding: .1rem .35rem; }
  thead { display: table-header-group; }
  tr, figure, blockquote, .figures div { break-inside: avoid; }
  h2, caption { break-after: avoid; }
  table:not(:has(tbody tr:nth-child(17))) { break-inside: avoid; }
  figure:has(details[open]) { break-inside: auto; }
  details:not([open]) { display: none; }
}
"""
