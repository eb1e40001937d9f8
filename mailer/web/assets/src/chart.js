// Draws <canvas data-chart='{"type": …}'> from the Chart.js configuration in its attribute; a table beside each chart
// says the same to those who cannot see it.
import { Chart, BarController, BarElement, LineController, LineElement, PointElement, CategoryScale, LinearScale, Tooltip, Legend, Filler } from "chart.js";

Chart.register(BarController, BarElement, LineController, LineElement, PointElement, CategoryScale, LinearScale, Tooltip, Legend, Filler);
Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.animation = false;
Chart.defaults.maintainAspectRatio = false;

const draw = (root) => {
  for (const canvas of root.querySelectorAll("canvas[data-chart]")) {
    if (Chart.getChart(canvas)) continue;
    new Chart(canvas, JSON.parse(canvas.dataset.chart));
  }
};
draw(document);
document.addEventListener("htmx:afterSettle", (event) => draw(event.target));
