"""Collects the values of rounds and shows what became of them."""
import statistics


class Table:
    def __init__(self):
        self.rows = []

    def add(self, name, unit, values, aim=None, bound=None, of="median",
            least=False):
        """aim, bound: what the median, or the max, should not pass, or must
        not; least: should not stay below."""
        row = {"name": name, "unit": unit,
               "median": statistics.median(values),
               "min": min(values), "max": max(values), "values": values}
        for key, limit in (("aim", aim), ("bound", bound)):
            if limit is not None:
                row[key] = limit
                row[f"{key}_met"] = (row[of] >= limit if least
                                     else row[of] <= limit)
        self.rows.append(row)

    def show(self):
        print(f"{'':44}{'median':>9}{'min':>9}{'max':>9}  unit")
        for row in self.rows:
            figures = "".join(f"{self.text(row[key]):>9}"
                              for key in ("median", "min", "max"))
            verdicts = ", ".join(
                f"{key} {row[key]:g}: "
                f"{'met' if row[f'{key}_met'] else 'missed'}"
                for key in ("bound", "aim") if key in row)
            print(f"{row['name']:44}{figures}  {row['unit']:<8}{verdicts}"
                  .rstrip())

    @staticmethod
    def text(value):
        return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.2f}"
