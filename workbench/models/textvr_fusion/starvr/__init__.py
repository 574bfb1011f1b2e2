"""StarVR, the baseline of TextVR: Frozen in Time's video tower, DistilBERT for captions and read words, one attention.

Source: Wu et al., A Large Cross-Modal Video Retrieval Dataset with Reading Comprehension, arXiv 2305.03347, and the
equations of spec/textvr.md, section 3. What the release does oddly is kept and named where it stands (docs/models.md).
"""

from workbench.models.textvr_fusion.starvr.model import Starvr
from workbench.models.textvr_fusion.starvr.options import StarvrOptions

__all__ = ["Starvr", "StarvrOptions"]
