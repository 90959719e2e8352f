"""How each engine writes names, values and statements, and what its columns keep."""
