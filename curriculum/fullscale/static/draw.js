import {ask, forget} from "./ask.js";

const paper = document.getElementById("paper"), side = paper.width, fine = side / 28;
const pen = paper.getContext("2d", {willReadFrequently: true});
pen.lineWidth = 22;
pen.lineCap = pen.lineJoin = "round";
pen.strokeStyle = "white";
let drawing = null;  // the pointer that draws

function at(event) {
  const box = paper.getBoundingClientRect();
  return [(event.clientX - box.left) * side / box.width, (event.clientY - box.top) * side / box.height];
}

// A captured pointer tells the paper of its moves and of its release wherever it is, outside the paper too.
paper.onpointerdown = event => {
  if (drawing !== null || event.button !== 0) return;
  drawing = event.pointerId;
  paper.setPointerCapture(drawing);
  pen.beginPath();
  pen.moveTo(...at(event));
  pen.lineTo(...at(event));
  pen.stroke();
};
paper.onpointermove = event => {
  if (event.pointerId !== drawing) return;
  pen.lineTo(...at(event));
  pen.stroke();
};
paper.onpointerup = paper.onpointercancel = paper.onlostpointercapture = event => {
  if (event.pointerId !== drawing) return;
  drawing = null;
  look();
};

function look() {
  const rgba = pen.getImageData(0, 0, side, side).data, pixels = [];
  for (let y = 0; y < 28; y++) for (let x = 0; x < 28; x++) {
    let sum = 0;
    for (let i = 0; i < fine; i++) for (let j = 0; j < fine; j++) sum += rgba[4 * ((fine * y + i) * side + fine * x + j)];
    pixels.push(Math.round(sum / fine ** 2));
  }
  return ask({pixels});
}

function clear() {
  pen.clearRect(0, 0, side, side);
  forget();
}

function seven() {
  clear();
  pen.beginPath();
  pen.moveTo(80, 70);
  pen.lineTo(200, 70);
  pen.lineTo(130, 220);
  pen.stroke();
  return look();
}

document.getElementById("clear").onclick = clear;
document.getElementById("example").onclick = seven;
if (location.hash === "#seven") seven();
