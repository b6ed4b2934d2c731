// Typesets the formulas of the page: each stands as TeX in an element of the class "math", which is what is shown without scripts.
for (const element of document.querySelectorAll(".math")) {
  katex.render(element.textContent, element, { displayMode: element.classList.contains("display"), throwOnError: false });
}
