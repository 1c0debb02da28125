extension EvaluationPage {
    /// Light and dark by the reader's setting, always light on paper; one column on a phone.
    static let style = """
        :root { --page: #f6f7f9; --card: #fff; --text: #1b1f27; --soft: #5c6573; --rule: #e1e5ea; --accent: #2563c9; --bad: #c8323f;
          --on: #fff; --line0: #2563c9; --line1: #c2570c; --line2: #0d7d6c; --line3: #8b3fb8; --line4: #b4235a;
          --line5: #6b7280; --line6: #8a6d00; --line7: #0e7490; }
        @media screen and (prefers-color-scheme: dark) { :root { --page: #14171c; --card: #1d2128; --text: #e6e9ee; --soft: #9aa4b2;
          --rule: #323944; --accent: #6ea3f7; --bad: #f0717c; --on: #0d1016; --line0: #6ea3f7; --line1: #f0a05a; --line2: #53c9b5;
          --line3: #c79af0; --line4: #f28ab2; --line5: #a3abb8; --line6: #d9bd4a; --line7: #5cc8e0; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
          "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
        main { max-width: 1120px; margin: 0 auto; padding: 28px 20px 48px; }
        h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
        h2 { font-size: 1.15rem; margin: 0 0 12px; }
        h3 { font-size: 1rem; margin: 22px 0 8px; }
        h4 { font-size: .95rem; margin: 0 0 8px; display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; overflow-wrap: anywhere; }
        h4 span { font-weight: 400; color: var(--soft); font-size: .85rem; }
        .lead { color: var(--soft); margin: 0 0 20px; }
        .note { color: var(--soft); font-size: .87rem; margin: 0 0 12px; }
        section { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 20px; margin-top: 18px; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 12px; }
        .tile { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; padding: 14px 18px; display: flex;
          flex-direction: column; }
        .tile strong { font-size: 2.1rem; line-height: 1.2; font-weight: 650; }
        .tile small { font-size: 1.1rem; font-weight: 400; color: var(--soft); }
        .tile .name { font-weight: 600; }
        .tile .words { color: var(--soft); font-size: .82rem; line-height: 1.35; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; width: 100%; }
        th, td { padding: 6px 10px; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
        th { font-weight: 600; color: var(--soft); font-size: .85rem; }
        th:first-child, td:first-child { text-align: left; padding-left: 2px; }
        tbody tr:last-child td, .facts tr:last-child > * { border-bottom: 0; }
        .track { display: inline-block; vertical-align: middle; width: 110px; height: 8px; border-radius: 4px; background: var(--rule);
          margin-right: 10px; overflow: hidden; }
        .track span { display: block; height: 100%; border-radius: 4px; background: var(--accent); }
        .swatch { display: inline-block; width: 13px; height: 13px; border-radius: 3px; margin-right: 8px; vertical-align: -2px;
          border: 1px solid rgba(128, 128, 128, .6); flex: none; }
        .value { display: inline-block; min-width: 3.2em; }
        .classes { margin-bottom: 10px; }
        .counts { font-size: .82rem; }
        .beside { display: flex; flex-wrap: wrap; gap: 24px 40px; align-items: flex-start; }
        .beside > .scroll { flex: 0 1 auto; min-width: 0; max-width: 100%; }
        .beside > div:last-child { flex: 1 1 330px; min-width: 0; overflow-x: auto; }
        .mistakes { font-size: .88rem; max-width: 560px; }
        .mistakes td:nth-child(2), .mistakes th:nth-child(2) { text-align: left; }
        .mistakes td { padding-top: 4px; padding-bottom: 4px; }
        caption { text-align: left; font-weight: 600; font-size: .9rem; padding-bottom: 4px; }
        .facts th { text-align: left; vertical-align: top; width: 11em; }
        .facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
        details { margin-top: 14px; }
        summary { cursor: pointer; color: var(--accent); font-size: .9rem; }
        .charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 18px; align-items: start; }
        figure { margin: 0; }
        .chart figcaption { font-weight: 600; font-size: .9rem; margin-bottom: 4px; }
        svg { display: block; width: 100%; height: auto; font-family: inherit; }
        .chart svg { max-width: 620px; }
        .tick { fill: var(--soft); font-size: 11px; }
        .mark { fill: var(--text); font-size: 12px; font-weight: 600; paint-order: stroke; stroke: var(--card); stroke-width: 3px; }
        .grid { stroke: var(--rule); stroke-width: 1; fill: none; }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
        .line0 { stroke: var(--line0); } .line1 { stroke: var(--line1); } .line2 { stroke: var(--line2); } .line3 { stroke: var(--line3); }
        .line4 { stroke: var(--line4); } .line5 { stroke: var(--line5); } .line6 { stroke: var(--line6); } .line7 { stroke: var(--line7); }
        .dot0 { fill: var(--line0); } .dot1 { fill: var(--line1); } .dot2 { fill: var(--line2); } .dot3 { fill: var(--line3); }
        .dot4 { fill: var(--line4); } .dot5 { fill: var(--line5); } .dot6 { fill: var(--line6); } .dot7 { fill: var(--line7); }
        .bar { fill: var(--accent); }
        .legend { display: flex; flex-wrap: wrap; gap: 2px 16px; font-size: .85rem; color: var(--soft); padding-left: 12px; }
        .legend i { display: inline-block; width: 16px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: 3px; }
        .key0 { background: var(--line0); } .key1 { background: var(--line1); } .key2 { background: var(--line2); }
        .key3 { background: var(--line3); } .key4 { background: var(--line4); } .key5 { background: var(--line5); }
        .key6 { background: var(--line6); } .key7 { background: var(--line7); }
        .key p { margin: 0 0 6px; font-weight: 600; font-size: .9rem; }
        .key div { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); gap: 3px 14px; font-size: .87rem;
          margin-bottom: 14px; }
        .key span { display: flex; align-items: center; overflow-wrap: anywhere; }
        .matrix { max-width: none; }
        .matrix .name { fill: var(--text); font-size: 12.5px; }
        .matrix .right { fill: var(--accent); } .matrix .wrong { fill: var(--bad); }
        .matrix .cell { fill: none; stroke: var(--rule); }
        .matrix .share { fill: var(--text); font-size: 13px; pointer-events: none; }
        .matrix .on { fill: var(--on); }
        .matrix g:hover .cell { stroke: var(--text); stroke-width: 1.5; }
        article { margin-bottom: 20px; }
        .four { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; }
        .four img { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--rule); }
        .four figcaption { color: var(--soft); font-size: .8rem; text-align: center; padding-top: 2px; }
        .compared th { white-space: normal; } .compared td:first-child { white-space: normal; }
        .compared small { display: block; color: var(--soft); font-size: .78rem; }
        .compared b { color: var(--accent); }
        .swatch[class*="key"] { border: 0; }
        .swatch:not([style]):not([class*="key"]) { visibility: hidden; }
        .many { display: grid; grid-template-columns: repeat(auto-fill, minmax(200px, 1fr)); gap: 10px 8px; }
        .many img { display: block; width: 100%; height: auto; border-radius: 6px; background: var(--rule); }
        .many figcaption { color: var(--soft); font-size: .8rem; text-align: center; padding-top: 2px; overflow-wrap: anywhere; }
        .warning { border-left: 4px solid var(--bad); background: var(--card); padding: 10px 14px; margin: 14px 0 0; border-radius: 6px; }
        pre { font-size: .82rem; overflow-x: auto; background: var(--page); padding: 12px; border-radius: 8px; }
        @media screen and (max-width: 680px) { main { padding: 18px 12px 32px; } section { padding: 14px; } h1 { font-size: 1.35rem; }
          .four { grid-template-columns: repeat(2, 1fr); } .tiles { grid-template-columns: repeat(2, 1fr); gap: 8px; }
          .tile { padding: 10px 12px; } .tile strong { font-size: 1.6rem; } .track { display: none; } .value { min-width: 0; }
          th, td { padding: 5px 5px; } .classes { font-size: .9rem; } .classes th:nth-child(5), .classes td:nth-child(5)
          { display: none; } .facts th { width: 7.5em; white-space: normal; } }
        @media print { @page { margin: 14mm; } body { background: #fff; font-size: 11px; -webkit-print-color-adjust: exact;
          print-color-adjust: exact; } main { max-width: none; padding: 0; } section { border: 0; padding: 0; margin-top: 22px; }
          .tile { padding: 8px 10px; } .tiles { grid-template-columns: repeat(4, 1fr); } article, .tiles, .chart, tr, .matrix
          { break-inside: avoid; } h2, h3, .note { break-after: avoid; } .matrix { width: 112mm !important; max-width: 100%; }
          .scroll { overflow: visible; } .beside { flex-wrap: nowrap; gap: 6mm; } .beside > div:last-child { flex-basis: 50mm; }
          .mistakes { font-size: 8.5px; break-inside: avoid; } .mistakes th, .mistakes td { padding: 3px; }
          .charts { grid-template-columns: 1fr 1fr; } details { display: none; } }
        """

    /// The part that a chart needs in a file of its own: on white.
    static let chartStyle = """
        :root { --card: #fff; --text: #1b1f27; --soft: #5c6573; --rule: #e1e5ea; --line0: #2563c9; --line1: #c2570c; --line2: #0d7d6c;
          --line3: #8b3fb8; --line4: #b4235a; --line5: #6b7280; --line6: #8a6d00; --line7: #0e7490; }
        text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: var(--text); }
        .title { font-size: 13px; font-weight: 600; } .legend { font-size: 12px; } .tick { fill: var(--soft); font-size: 11px; }
        .mark { font-size: 12px; font-weight: 600; } .grid { stroke: var(--rule); stroke-width: 1; fill: none; }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
        .line0 { stroke: var(--line0); } .line1 { stroke: var(--line1); } .line2 { stroke: var(--line2); } .line3 { stroke: var(--line3); }
        .line4 { stroke: var(--line4); } .line5 { stroke: var(--line5); } .line6 { stroke: var(--line6); } .line7 { stroke: var(--line7); }
        .dot0 { fill: var(--line0); } .dot1 { fill: var(--line1); } .dot2 { fill: var(--line2); } .dot3 { fill: var(--line3); }
        .dot4 { fill: var(--line4); } .dot5 { fill: var(--line5); } .dot6 { fill: var(--line6); } .dot7 { fill: var(--line7); }
        """
}
