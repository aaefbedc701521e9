# Not empty, unlike elsewhere: office files are one edge in several modules, and its callers need one name.
from app.edge.office.forms import FONTS as FONTS
from app.edge.office.forms import write_docx as write_docx
from app.edge.office.forms import write_pdf as write_pdf
from app.edge.office.reports import draw_png as draw_png
from app.edge.office.reports import write_report_pdf as write_report_pdf
from app.edge.office.word import write_report_docx as write_report_docx
from app.edge.office.workbooks import write_report_xlsx as write_report_xlsx
