"""Pictures of what adapters do, as SVG, drawn without any further library."""

from adapter_lib.inspection.compositions import plot_composition
from adapter_lib.inspection.drawing import Drawing
from adapter_lib.inspection.plots import plot_fusion, plot_gates, plot_routes

__all__ = ["Drawing", "plot_composition", "plot_fusion", "plot_gates", "plot_routes"]
