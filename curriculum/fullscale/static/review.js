import {ask} from "./ask.js";

const review = document.getElementById("review"), judge = document.getElementById("judge");

async function look() {
  judge.disabled = true;
  await ask({text: review.value});
  judge.disabled = false;
}

judge.onclick = look;
review.onkeydown = event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) look(); };
if (location.hash.length > 1) {
  try { review.value = decodeURIComponent(location.hash.slice(1)); } catch { review.value = location.hash.slice(1); }
  look();
}
