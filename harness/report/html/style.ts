/**
 * The only style sheet of a page. Colours are from Okabe and Ito's palette (distinct to colour-blind eyes), darkened or
 * lightened to a contrast of 3:1 to the background; dashes and words carry the same information.
 */
export const style = `
:root{color-scheme:light dark;--paper:#fff;--panel:#f6f7f9;--ink:#14181d;--muted:#57606b;--line:#dde1e7;--hair:#e9ecf0;
  --band:#f1f3f6;
--blue:#0a66a8;--navy:#0b3a66;--sky:#3f97d0;--orange:#b57700;--green:#00805d;--red:#c44700;--purple:#9a4d82;
  --grey:#7d8691;
--passed:#00805d;--failed:#c44700;--invalid:#a86a00;--incomplete:#5f6872}
@media (prefers-color-scheme:dark){:root{--paper:#12151a;--panel:#1a1e25;--ink:#e8ebef;--muted:#9aa4b1;--line:#303742;
  --hair:#262c35;--band:#191d24;
--blue:#4ba3e3;--navy:#b9dcf8;--sky:#3579ab;--orange:#e6a834;--green:#2fbf95;--red:#f0834a;--purple:#d694c0;
  --grey:#8a94a1;
--passed:#2fbf95;--failed:#f0834a;--invalid:#e6a834;--incomplete:#9aa4b1}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);
  font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
  font-variant-numeric:tabular-nums}
main,header,footer{max-width:1128px;margin:0 auto;padding:0 24px}
h1,h2,h3{line-height:1.25;margin:0;letter-spacing:-.01em}
h1{font-size:26px;font-weight:650;overflow-wrap:anywhere}
h2{font-size:19px;font-weight:650;margin:40px 0 14px;padding-top:14px;border-top:1px solid var(--line)}
h3{font-size:15px;font-weight:600}
p{margin:0 0 10px}
a{color:var(--blue);text-underline-offset:2px}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px;border-radius:2px}
code,pre,.mono{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
pre{margin:0;padding:10px 12px;background:var(--panel);border:1px solid var(--hair);border-radius:6px;
  white-space:pre-wrap;overflow-wrap:anywhere;max-height:360px;overflow:auto}
.skip{position:absolute;left:-9999px}.skip:focus{left:8px;top:8px;background:var(--paper);padding:6px 10px;z-index:2}
header{padding-top:34px}
.meta{color:var(--muted);margin:4px 0 0;display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13.5px}
.meta span{overflow-wrap:anywhere}
.verdict{margin:22px 0 0;padding:18px 22px;border:1px solid var(--line);border-left:6px solid var(--tone);
  border-radius:8px;background:var(--panel)}
.verdict.passed{--tone:var(--passed)}.verdict.failed{--tone:var(--failed)}.verdict.invalid{--tone:var(--invalid)}
.verdict.incomplete{--tone:var(--incomplete)}
.verdict h2{display:flex;align-items:center;gap:12px;margin:0;padding:0;border:0;font-size:24px;color:var(--tone);
  text-transform:capitalize}
.verdict h2 svg{width:26px;height:26px;flex:none}
.verdict .means{margin:2px 0 0;color:var(--muted);font-size:13.5px}
.verdict ul{margin:10px 0 0;padding-left:20px}.verdict li{margin:3px 0;overflow-wrap:anywhere}
.notes{margin:12px 0 0;padding:10px 16px 10px 34px;border:1px dashed var(--line);border-radius:8px;font-size:14px}
.figures{display:grid;grid-template-columns:repeat(4,1fr);gap:1px;margin:18px 0 0;padding:0;
  border:1px solid var(--line);border-radius:8px;overflow:hidden;background:var(--line)}
.figures div{background:var(--paper);padding:13px 16px 12px}
.figures dt{color:var(--muted);font-size:12.5px}
.figures dd{margin:0;font-size:23px;font-weight:600;letter-spacing:-.02em;line-height:1.3}
.figures dd small{display:block;font-size:12.5px;font-weight:400;letter-spacing:0;color:var(--muted)}
nav{margin:18px 0 0;font-size:13.5px}nav ul{display:flex;flex-wrap:wrap;gap:4px 18px;margin:0;padding:0;list-style:none}
figure{margin:0 0 28px}
figcaption p{color:var(--muted);font-size:13.5px;margin:2px 0 0;max-width:78ch}
.pair{display:grid;grid-template-columns:1fr;gap:0 32px}
.key{display:flex;flex-wrap:wrap;gap:2px 20px;margin:8px 0 0;padding:0;list-style:none;font-size:13px;
  color:var(--muted)}
.key li{display:flex;align-items:center;gap:7px}.swatch{width:26px;height:10px;flex:none}.ramp{width:112px;height:10px}
.plot{overflow-x:auto;margin-top:6px}.plot>svg{display:block;width:100%;min-width:660px;height:auto}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;font-variant-numeric:tabular-nums;
  fill:var(--muted)}
svg .stage{font-size:11.5px}
.grid{stroke:var(--hair)}.axis{stroke:var(--grey)}.edge{stroke:var(--line)}
.band{fill:var(--band)}.band.measured{fill:none}
.shade{fill:var(--orange);fill-opacity:.14}
.mark{stroke:var(--red);stroke-dasharray:3 3}svg .mark-text{fill:var(--red);font-size:10.5px}
.level{stroke:var(--red);stroke-dasharray:6 4}svg .level-text{fill:var(--red)}
svg .level-text,svg .mark-text{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
.line{fill:none;stroke:var(--c,var(--blue));stroke-width:1.8;stroke-linejoin:round;stroke-linecap:round}
.fill{fill:var(--c,var(--blue));fill-opacity:.13;stroke:none}.fill.solid,.swatch .fill{fill-opacity:.9}
.heat{fill:var(--blue)}
.dashed{stroke-dasharray:6 4}.dotted{stroke-dasharray:1.5 4}
.s-main{--c:var(--blue)}.s-plain{--c:var(--grey)}.s-accent{--c:var(--orange)}.s-good{--c:var(--green)}
.s-bad{--c:var(--red)}.s-other{--c:var(--purple)}
.s-p50{--c:var(--sky)}.s-p95{--c:var(--blue)}.s-p99{--c:var(--navy)}.s-p99.line{stroke-width:2.2}
.e-1{--c:var(--red)}.e-2{--c:var(--orange)}.e-3{--c:var(--purple)}.e-4{--c:var(--grey)}
details{margin-top:8px;font-size:13.5px}summary{cursor:pointer;color:var(--muted);width:fit-content}
summary:hover{color:var(--ink)}
.scroll{overflow-x:auto;margin:8px 0 0}
table{border-collapse:collapse;width:100%;font-size:13.5px}
caption{text-align:left;font-weight:600;padding:0 0 6px}
th,td{padding:6px 12px 6px 0;text-align:right;vertical-align:top;border-bottom:1px solid var(--hair);
  white-space:nowrap;font-weight:400}
th:first-child,td.text,th.text{text-align:left}td.text,th.text:not(:first-child){padding-left:14px}
td.text{white-space:normal;overflow-wrap:anywhere;min-width:14ch}
thead th{color:var(--muted);font-size:12.5px;border-bottom:1px solid var(--line);vertical-align:bottom}
tbody th{font-weight:500;white-space:normal;overflow-wrap:anywhere;min-width:8ch}tbody th:has(code){min-width:22ch}
.quiet{color:var(--muted)}.bad{color:var(--failed)}.good{color:var(--passed)}
.mark-cell{font-weight:600;white-space:nowrap}
.bullet{width:150px;height:14px;vertical-align:-2px}.bullet .track{fill:var(--hair)}.bullet .ok{fill:var(--passed)}
.bullet .over{fill:var(--failed)}.bullet .limit{stroke:var(--ink);stroke-width:1.6}
.empty{color:var(--muted);margin:8px 0 0;padding:16px;border:1px dashed var(--line);border-radius:8px;font-size:14px}
.note{color:var(--muted);font-size:13px;margin:6px 0 0}
.stack>*+*{margin-top:26px}
dl.pairs{display:grid;grid-template-columns:minmax(150px,max-content) 1fr;gap:3px 22px;margin:0;font-size:13.5px}
dl.pairs dt{color:var(--muted)}dl.pairs dd{margin:0;overflow-wrap:anywhere}
footer{padding-top:30px;padding-bottom:44px;color:var(--muted);font-size:13px}
@media (max-width:640px){.figures{grid-template-columns:repeat(2,1fr)}
main,header,footer{padding-left:14px;padding-right:14px}dl.pairs{grid-template-columns:1fr}
dl.pairs dd{margin-bottom:6px}}
@media (min-width:900px){.pair{grid-template-columns:1fr 1fr}.pair .plot>svg{min-width:0}}
@media print{:root{color-scheme:light;--paper:#fff;--panel:#fff;--ink:#000;--muted:#444;--line:#bbb;--hair:#ddd;
  --band:#f1f1f1;--blue:#0a66a8;--navy:#0b3a66;--sky:#3f97d0;--orange:#b57700;--green:#00805d;--red:#c44700;
  --purple:#9a4d82;--grey:#7d8691;--passed:#00805d;--failed:#c44700;--invalid:#a86a00;--incomplete:#5f6872}
body{font-size:11pt}nav,.skip,figure details{display:none}figure,tr,.verdict{break-inside:avoid}h2{break-after:avoid}
.plot,.scroll{overflow:visible}.plot>svg{min-width:0}pre{max-height:none}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`;
