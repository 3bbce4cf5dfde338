// How the site's search ranks its results (conf.py: html_search_scorer): pages that tell what to do come before pages that list,
// and those for contributors last. The numbers below `score` are Sphinx's own.
var Scorer = {
  score: ([page, title, anchor, description, score, file, kind]) => {
    const weights = { tutorial: 3, "how-to": 3, explanation: 2, reference: 1 };
    if (kind === "title") score += 10; // a heading says just that
    const late = /^(decisions|changelog|contributing|reference\/(diagnostics|commands|style|json-report))/;
    return late.test(page) ? score - 10 : score + (weights[page.split("/")[0]] || 0);
  },
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
