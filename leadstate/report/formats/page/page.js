// Filters the changes by words, action and account. Without it the page shows everything.
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const status = form.querySelector("output");
  const sections = [...document.querySelectorAll("details.account")].map((element) => ({
    element,
    names: JSON.parse(element.dataset.accounts),
    changes: [...element.querySelectorAll("tbody.change")].map((row) => ({ row, action: row.dataset.action, text: null })),
  }));
  const total = sections.reduce((sum, section) => sum + section.changes.length * section.names.length, 0);

  const textOf = (change) => (change.text ??= change.row.textContent.toLowerCase());

  const filter = () => {
    const words = form.elements.text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const actions = new Set([...form.querySelectorAll("[name=action]:checked")].map((box) => box.value));
    const chosen = form.elements.account ? form.elements.account.value : "";
    const all = !words.length && actions.size === 3 && !chosen;
    let shown = 0;
    for (const section of sections) {
      let here = 0;
      const names = section.names.filter((name) => !chosen || name === chosen).map((name) => name.toLowerCase());
      for (const change of section.changes) {
        // A change that several accounts have in common counts once for each account that fits.
        const left = words.filter((word) => !textOf(change).includes(word));
        const fits = actions.has(change.action)
          ? names.filter((name) => left.every((word) => name.includes(word))).length
          : 0;
        if (change.row.hidden === fits > 0) change.row.hidden = !fits;
        here += fits;
      }
      section.element.hidden = !all && !here;
      shown += here;
    }
    const number = (count) => count.toLocaleString("en");
    status.textContent = all ? `${number(total)} change${total === 1 ? "" : "s"}` : `${number(shown)} of ${number(total)} changes`;
  };

  const first = () => {
    const row = document.querySelector("details.account:not([hidden]) tbody.change:not([hidden])");
    if (!row) return;
    row.closest("details").open = true;
    row.tabIndex = -1;
    row.focus();
  };

  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    first();
  });
  form.elements.text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    first();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (event.key === "Escape") {
      form.reset();
      filter();
      form.elements.text.focus();
    }
  });
  filter();
})();
