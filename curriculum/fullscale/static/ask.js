// Sends a question and shows its answer. Only the last question that was asked is answered.
const place = document.getElementById("answer");
let asked = 0;

export async function ask(question) {
  const number = ++asked;
  place.setAttribute("aria-busy", "true");
  let found;
  try {
    const reply = await fetch("/predict", {
      method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(question),
    });
    found = await reply.json();
  } catch {
    found = {error: "The server does not answer: is it still running?"};
  }
  if (number !== asked) return;
  place.removeAttribute("aria-busy");
  if (found.html) place.innerHTML = found.html;  // rendered and escaped by templates/answer.html
  else place.textContent = found.error;
}

export function forget() {
  asked++;
  place.removeAttribute("aria-busy");
  place.replaceChildren();
}
