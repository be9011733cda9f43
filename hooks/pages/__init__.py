"""What people see: order entry at ``/``, the evidence pages, the frame and the visual language of every page."""
